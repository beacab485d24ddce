/** Another write came after the read. Read again, and decide again. */
export class StateConflictError extends Error {
  override readonly name = 'StateConflictError';
}

/** A newer epoch has begun: this act is over, and must not write any more. Trying again changes nothing. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** Another act holds the lease. The lease expires by itself: try again. */
export class LeaseHeldError extends Error {
  override readonly name = 'LeaseHeldError';
}

/** The state table does not answer, or refuses. `cause` says how. */
export class StateUnavailableError extends Error {
  override readonly name = 'StateUnavailableError';
}
