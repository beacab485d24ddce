/** A client that is not ours could not be installed, built or run. The message says what to do. */
export class ForeignClientError extends Error {
  override readonly name = 'ForeignClientError';
}
