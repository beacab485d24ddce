/** CloudWatch has answered, but not with everything that was asked for. */
export class AgesUnreadableError extends Error {
  override readonly name = 'AgesUnreadableError';
}
