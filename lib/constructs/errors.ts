/** The bundles of the functions are not there, or not all of them. The message says how to make them. */
export class HandlersMissingError extends Error {
  override readonly name = 'HandlersMissingError';
}
