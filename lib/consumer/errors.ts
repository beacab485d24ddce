/** The options of a consumer's helper cannot be used. */
export class ConsumerConfigError extends Error {
  override readonly name = 'ConsumerConfigError';
}

/** A record of a stream cannot be read, and nothing sets it aside: pass `onBad`, or see that the mapping gives up on it. */
export class BadRecordError extends Error {
  override readonly name = 'BadRecordError';
}

/** A checkpoint cannot be made of these records, or a text is none. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/**
 * Another consumer has claimed the record, and neither finished nor gave it back in time. It counts as not handled: give it again
 * after the claim's time, as Lambda does with what is reported.
 */
export class ClaimedElsewhereError extends Error {
  override readonly name = 'ClaimedElsewhereError';

  constructor(recordId: string, leftMs: number) {
    super(
      `Another consumer is handling ${recordId}, or died while it was. Its claim ends in ${Math.ceil(leftMs)} ms: give the record again after that.`,
    );
  }
}

/** A store of ids failed, after all attempts. The record counts as not handled. */
export class SeenStoreError extends Error {
  override readonly name = 'SeenStoreError';
}
