/** A policy that cannot be made as it was asked for. The message says what to ask for instead. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}
