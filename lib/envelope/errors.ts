/** What was given to put into an envelope does not fit its format. Nothing was written. */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError';
}
