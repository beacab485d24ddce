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
