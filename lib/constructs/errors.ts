/** Some or all bundles of the functions are missing. The message says how to build them. */
export class HandlersMissingError extends Error {
  override readonly name = 'HandlersMissingError';
}
