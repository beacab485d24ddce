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
