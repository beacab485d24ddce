/** The standby is known not to work: nothing is pinned there. Trying again immediately would not help. */
export class StandbyUnfitError extends Error {
  override readonly name = 'StandbyUnfitError';
}

/** A guard refuses the failback. */
export class FailbackRefusedError extends Error {
  override readonly name = 'FailbackRefusedError';
}

/** DNS does not name the standby yet for every cell that was asked for. DNS may soon do so: try again. */
export class DnsElsewhereError extends Error {
  override readonly name = 'DnsElsewhereError';
}

/** DNS answers with the primary, soon after the quorum had left it. That answer may be stale: ask again. */
export class QuorumUnsettledError extends Error {
  override readonly name = 'QuorumUnsettledError';
}

/** Some switches are not where this run has to set them. Try again. */
export class NotLatchedError extends Error {
  override readonly name = 'NotLatchedError';
}

/** Consumers of the standby have not been seen to take up what arrives. They may soon be: look again. */
export class ConsumersNotSeenError extends Error {
  override readonly name = 'ConsumersNotSeenError';
}

/** The function was called with something that the state machine does not send. */
export class ConductorInputError extends Error {
  override readonly name = 'ConductorInputError';
}

/** Errors that no retry helps against. */
export const finalErrors = [
  'FencedError',
  'StandbyUnfitError',
  'FailbackRefusedError',
  'ConductorInputError',
] as const;
