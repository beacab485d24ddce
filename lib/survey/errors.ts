/** CloudWatch has answered, but not with everything that was asked for. */
export class PeaksUnreadableError extends Error {
  override readonly name = 'PeaksUnreadableError';
}
