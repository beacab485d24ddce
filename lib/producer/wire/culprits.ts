import { EncodingError, RequestTooLargeError } from './errors.ts';
import type { Batch } from './request-body.ts';

/**
 * Encodes the batch. When `encode` throws, each record is encoded alone, and the records that fail are at
 * fault. If none fails alone, all count as at fault, so that a batch that can never be sent is not retried
 * without end.
 *
 * @throws EncodingError, RequestTooLargeError
 */
export function encoded<Result>(batch: Batch, encode: (batch: Batch) => Result): Result {
  try {
    return encode(batch);
  } catch (cause) {
    if (cause instanceof RequestTooLargeError) throw cause;
    const { records, ...named } = batch;
    const culprits = records.flatMap((record, index) => {
      const reason = problemOf(() => encode({ ...named, records: [record] }));
      return reason === undefined ? [] : [{ index, reason }];
    });
    const all = records.map((_, index) => ({ index, reason: cause }));
    throw new EncodingError(culprits.length > 0 ? culprits : all, { cause });
  }
}

function problemOf(encode: () => unknown): unknown {
  try {
    encode();
    return undefined;
  } catch (error) {
    return error ?? new Error('no reason was given');
  }
}
