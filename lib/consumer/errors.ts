/** The options of a consumer's helper cannot be used. */
export class ConsumerConfigError extends Error {
  override readonly name = 'ConsumerConfigError';
}
