/** Codes that speak of throughput, and not of the region's health. */
export const throttles = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'KMSThrottlingException',
]);
/** What the request itself is refused for, whoever asks and wherever. */
export const refusals = new Set([
  'ValidationException',
  'InvalidArgumentException',
  'SerializationException',
  'RequestTooLargeError',
  'EncodingError',
]);
