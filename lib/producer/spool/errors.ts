/** The base class of all errors of a spool; each subclass says what to do next. */
export class SpoolError extends Error {
  override readonly name: string = 'SpoolError';
}

/** The options of a spool cannot be used. */
export class SpoolOptionsError extends SpoolError {
  override readonly name = 'SpoolOptionsError';
}

/** Another process, or another Spool of this one, owns the directory. */
export class SpoolLockedError extends SpoolError {
  override readonly name = 'SpoolLockedError';
  /** The owner's process id, where it could be read. */
  readonly ownerPid: number | undefined;

  constructor(message: string, { ownerPid, ...options }: ErrorOptions & { readonly ownerPid?: number }) {
    super(message, options);
    this.ownerPid = ownerPid;
  }
}

/** The directory cannot be used: it is read-only, not a directory, or its parent is missing. */
export class SpoolDirectoryError extends SpoolError {
  override readonly name = 'SpoolDirectoryError';
}

/** A file was written by a newer Spillway, in a format that this one does not know. */
export class SpoolVersionError extends SpoolError {
  override readonly name = 'SpoolVersionError';
}

/** An entry breaks a limit of the format. Nothing of its append was written. */
export class SpoolEntryError extends SpoolError {
  override readonly name = 'SpoolEntryError';
}

/** No room within `maxBytes` (or the limit of segments). Nothing was written, and nothing older was overwritten. */
export class SpoolFullError extends SpoolError {
  override readonly name = 'SpoolFullError';
  /** Bytes on disk and on their way there. */
  readonly usedBytes: number;
  readonly maxBytes: number;

  constructor(
    message: string,
    { usedBytes, maxBytes }: { readonly usedBytes: number; readonly maxBytes: number },
  ) {
    super(message);
    this.usedBytes = usedBytes;
    this.maxBytes = maxBytes;
  }
}

/**
 * The disk refused a write or a sync (`cause` has the code: ENOSPC, EIO…). All appends that were waiting are rejected
 * with it, so that none overtakes another; an append of several MiB may have been spooled in part.
 */
export class SpoolWriteError extends SpoolError {
  override readonly name = 'SpoolWriteError';
}

/** The disk refused a read. Nothing was skipped: the same read may work later. */
export class SpoolReadError extends SpoolError {
  override readonly name = 'SpoolReadError';
}

/** Too many refused records are kept aside, or too many records in a row were refused. */
export class SpoolRefusedError extends SpoolError {
  override readonly name = 'SpoolRefusedError';
}

/** The position did not come from this spool. */
export class SpoolPositionError extends SpoolError {
  override readonly name = 'SpoolPositionError';
}

/** The spool is closed: open it again. */
export class SpoolClosedError extends SpoolError {
  override readonly name = 'SpoolClosedError';
}

/** The code of a system error, such as ENOSPC; undefined for others. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
