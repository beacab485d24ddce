/** The drain that was asked for makes no sense, or its checkpoint is not one of this drain. Nothing was started. */
export class DrainUsageError extends Error {
  override readonly name = 'DrainUsageError';
}

/** The drain stopped before its end. The checkpoint holds: the same command goes on from there. */
export class DrainError extends Error {
  override readonly name = 'DrainError';
}
