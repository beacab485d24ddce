/** An experiment could not go on; its statements are then not judged, and the message is the reason. */
export class ProveError extends Error {
  override readonly name = 'ProveError';
}
