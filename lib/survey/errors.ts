/** CloudWatch has answered, and not with all that was asked for. */
export class PeaksUnreadableError extends Error {
  override readonly name = 'PeaksUnreadableError';
}
