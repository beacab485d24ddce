/** The requested drain makes no sense, or the checkpoint belongs to another drain. Nothing was started. */
export class DrainUsageError extends Error {
  override readonly name = 'DrainUsageError';
}

/** The drain stopped before its end. The checkpoint is intact: the same command continues from there. */
export class DrainError extends Error {
  override readonly name = 'DrainError';
}
