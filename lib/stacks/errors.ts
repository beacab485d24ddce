/**
 * The cells do not fit into the stacks that they are spread over. The message says how many stacks would be
 * enough.
 */
export class PlacementError extends Error {
  override readonly name = 'PlacementError';
}

/** A region has no encryption key, although keys are given. */
export class KeyMissingError extends Error {
  override readonly name = 'KeyMissingError';
}

/** The hosts that the context gives cannot be understood. */
export class GivenHostsError extends Error {
  override readonly name = 'GivenHostsError';
}
