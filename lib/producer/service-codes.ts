/** Error codes that are about throughput, not about the region's health. */
export const throttles = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'KMSThrottlingException',
]);
/** Error codes that refuse the request itself: another caller or another region would get the same answer. */
export const refusals = new Set([
  'ValidationException',
  'InvalidArgumentException',
  'SerializationException',
  'RequestTooLargeError',
  'EncodingError',
]);

/** How the service says which field it refuses: "Value '…' at 'streamName' failed to satisfy constraint" [inferred]. */
const streamField = /\bat 'stream(?:name|arn|id)'/i;

/** Whether a refusal is of the stream that the request names: its records are not at fault. */
export const isStreamRefusal = (error: unknown): boolean =>
  error instanceof Error && refusals.has(error.name) && streamField.test(error.message);
