import { EncodingError, RequestTooLargeError } from './errors.ts';
import type { Batch } from './request-body.ts';

/**
 * What `encode` makes of the batch. When it throws, each record is encoded alone: who fails there is at fault, and all of
 * them where nobody does, so that what can never be sent is not tried for ever.
 *
 * @throws EncodingError, RequestTooLargeError
 */
export function encoded<Result>(batch: Batch, encode: (batch: Batch) => Result): Result {
  try {
    return encode(batch);
  } catch (cause) {
    if (cause instanceof RequestTooLargeError) throw cause;
    const { stream, records } = batch;
    const culprits = records.flatMap((record, index) => {
      const reason = problemOf(() => encode({ stream, records: [record] }));
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
