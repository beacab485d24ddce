/** The drill could not be carried out; it says nothing about the expectation. */
export class DrillError extends Error {
  override readonly name = 'DrillError';
}
