/** No signal has come yet, so nobody knows where to write. Nothing was sent. `cause` is the last problem with DNS. */
export class SignalUnavailableError extends Error {
  override readonly name = 'SignalUnavailableError';
}

/** The call cannot be taken to the region of the signal without changing what it means. Nothing was sent. */
export class RedirectError extends Error {
  override readonly name = 'RedirectError';
}
