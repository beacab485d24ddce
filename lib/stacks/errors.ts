/** The cells do not fit the stacks they are spread over. The message says how many would do. */
export class PlacementError extends Error {
  override readonly name = 'PlacementError';
}
