import { DamagedAggregateError } from './errors.ts';
import { DIGEST_BYTES, FRAME_BYTES, MAGIC, md5 } from './format.ts';
import { type DecodedRecord, readMessage } from './message.ts';
import { ProtobufError } from './protobuf.ts';

/**
 * The records of an aggregate, in their order, or undefined for bytes that are a record of their own. The work and the memory
 * are in proportion to the bytes: data are views into them, and a key is one text however many records have it.
 *
 * Bytes that begin with the magic and whose MD5 does not match are refused. The KCL and the `aws-kinesis-agg` of PyPI
 * hand them to the application as a plain record, without a word; the `aws-kinesis-agg` of npm refuses them. Such bytes
 * are a damaged aggregate, or a user's that begin with the magic by chance: no UTF-8 text does, random bytes do once in
 * 2^32 records. Nobody here can tell which, and nothing is dropped: the caller has all the bytes and decides, as with a damaged
 * envelope.
 *
 * @throws DamagedAggregateError, DigestUnavailableError, TooManyRecordsError where there are more than `most`
 */
export function decodeAggregate(
  bytes: Uint8Array,
  { most = Number.POSITIVE_INFINITY }: { readonly most?: number } = {},
): readonly DecodedRecord[] | undefined {
  const matching = magicMatch(bytes);
  if (matching < MAGIC.length - 1) return undefined;
  const long = bytes.byteLength > FRAME_BYTES;
  if (matching < MAGIC.length) {
    if (long && digestHolds(bytes)) throw new DamagedAggregateError({ rejection: 'aggregate-magic' });
    return undefined;
  }
  if (!long) throw new DamagedAggregateError({ rejection: 'truncated-aggregate' });
  if (!digestHolds(bytes)) throw new DamagedAggregateError({ rejection: 'aggregate-checksum' });
  try {
    return readMessage(messageOf(bytes), most);
  } catch (cause) {
    if (!(cause instanceof ProtobufError)) throw cause;
    throw new DamagedAggregateError({ rejection: 'aggregate-content', found: cause.message, cause });
  }
}

/** How many bytes of the magic match; a record with three of four may be a damaged aggregate. */
function magicMatch(bytes: Uint8Array): number {
  let matching = 0;
  for (let at = 0; at < MAGIC.length; at++) if (bytes[at] === MAGIC[at]) matching++;
  return matching;
}

const messageOf = (bytes: Uint8Array): Uint8Array =>
  bytes.subarray(MAGIC.length, bytes.byteLength - DIGEST_BYTES);

function digestHolds(bytes: Uint8Array): boolean {
  const stored = bytes.subarray(bytes.byteLength - DIGEST_BYTES);
  return (
    md5(messageOf(bytes)) === Buffer.from(stored.buffer, stored.byteOffset, DIGEST_BYTES).toString('hex')
  );
}
