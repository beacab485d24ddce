/** The input for an envelope does not fit its format. Nothing was written. */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError';
}
