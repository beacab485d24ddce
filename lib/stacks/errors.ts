/** The cells do not fit the stacks they are spread over. The message says how many would do. */
export class PlacementError extends Error {
  override readonly name = 'PlacementError';
}

/** A region has no key to encrypt with, though keys are given. */
export class KeyMissingError extends Error {
  override readonly name = 'KeyMissingError';
}
