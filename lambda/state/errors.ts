/** Somebody else has written since it was read. Read again, and decide again. */
export class StateConflictError extends Error {
  override readonly name = 'StateConflictError';
}

/** Another holder has the lease, or a newer epoch has begun: this one must not act any more. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** The state table does not answer, or refuses. `cause` says how. */
export class StateUnavailableError extends Error {
  override readonly name = 'StateUnavailableError';
}
