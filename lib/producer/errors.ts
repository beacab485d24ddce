/**
 * The options of a producer, of `followSignal` or of a method are invalid: one is ill-typed, out of its
 * range, or throws (`cause`).
 */
export class ProducerConfigError extends Error {
  override readonly name = 'ProducerConfigError';
}

/**
 * A record is ill-typed, cannot be read or encoded (`cause` is what was thrown), or breaks a limit of Kinesis: every region
 * would refuse it. It fails alone; the others of its call go on.
 */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

/**
 * No region took the record in time, but the record may have been written. `cause` is the failure of the last
 * attempt.
 */
export class DeliveryTimeoutError extends Error {
  override readonly name = 'DeliveryTimeoutError';
}

/**
 * There is no room for the record now: the buffer is full, or the share of its key or shard. Only `putEach` fails with it, as `put`
 * waits. Nothing was written: put the record again later.
 */
export class BufferFullError extends Error {
  override readonly name = 'BufferFullError';
}

/** The producer was closed before the record was delivered, or is closed and takes no more. */
export class ProducerClosedError extends Error {
  override readonly name = 'ProducerClosedError';
}

/** The service refused one record of a batch. `name` is its error code. */
export class RecordFailure extends Error {
  override readonly name: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = code;
  }
}

/** The spool could not be opened within `deliveryTimeoutMs`, or can never be opened. `cause` says why. */
export class SpoolUnavailableError extends Error {
  override readonly name = 'SpoolUnavailableError';
}

/**
 * The stream has service-managed distribution, which keeps no key together: what the options ask for cannot be had there. No record
 * of the call was taken.
 */
export class StreamDistributionError extends Error {
  override readonly name = 'StreamDistributionError';
}
