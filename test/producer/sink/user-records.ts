import { hash } from 'node:crypto';

const MAGIC = Buffer.from('f3899ac2', 'hex');
const DIGEST_BYTES = 16;
/** Field 3, with a length: a record. */
const RECORD_TAG = (3 << 3) | 2;
const MAX_VARINT_BYTES = 5;

/**
 * How many records somebody put are in this one of Kinesis. Goes from field to field of an aggregate without reading what is
 * in them, so that it takes next to no time; `check` computes the MD5 as well.
 *
 * @throws Error for an aggregate that is not in the format
 */
export function userRecordsIn(data: Buffer, { check }: { readonly check: boolean }): number {
  if (data.length <= MAGIC.length + DIGEST_BYTES || !MAGIC.equals(data.subarray(0, MAGIC.length))) return 1;
  const end = data.length - DIGEST_BYTES;
  if (check && hash('md5', data.subarray(MAGIC.length, end), 'hex') !== data.toString('hex', end))
    throw new Error('The MD5 of an aggregate does not match.');
  let records = 0;
  let at = MAGIC.length;
  while (at < end) {
    if (data[at] === RECORD_TAG) records++;
    at++;
    let length = 0;
    for (let n = 0; ; n++) {
      const byte = data[at++] ?? 0;
      length += (byte & 0x7f) * 2 ** (7 * n);
      if (byte < 0x80) break;
      if (n === MAX_VARINT_BYTES) throw new Error('An aggregate has a length that has no end.');
    }
    at += length;
  }
  if (at !== end || records === 0) throw new Error('An aggregate is not in the format.');
  return records;
}
