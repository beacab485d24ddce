/**
 * What an error says about the call. `refused`: it had no effect, and may be tried again. `unsure`: its
 * outcome is unknown. `expired`: the iterator is too old. `fatal`: it had no effect, and trying again will
 * not help.
 */
export type Failure = 'refused' | 'unsure' | 'expired' | 'fatal';

const throttles = new Set([
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'KMSThrottlingException',
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
]);

/** Judges a whole request. Without an answer, or with one of the 5xx, the service may have carried it out. */
export function failureOf(error: unknown): Failure {
  const { name } = error as { name?: unknown };
  if (typeof name === 'string' && throttles.has(name)) return 'refused';
  if (name === 'ExpiredIteratorException') return 'expired';
  // Thrown by the SDK before anything is sent.
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') return 'fatal';
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status !== undefined && status >= 400 && status < 500 ? 'fatal' : 'unsure';
}

/** Judges one record of PutRecords, by its error code. */
export function entryFailureOf(code: string | undefined): 'refused' | 'unsure' {
  return code !== undefined && throttles.has(code) ? 'refused' : 'unsure';
}

const keyTroubles: Readonly<Record<string, string>> = {
  KMSAccessDeniedException: 'the caller lacks a permission on the key',
  KMSDisabledException: 'the key is disabled: enable it',
  KMSInvalidStateException: 'the key cannot be used in its present state: see it in KMS',
  KMSNotFoundException: 'the key is gone, or in another account or region',
  KMSOptInRequired: 'the account has to opt in to KMS',
};

/** What to do where the key that encrypts a stream is in the way, as a sentence; empty for any other failure. */
export function keyAdvice(error: unknown, act: 'read' | 'write'): string {
  const trouble = keyTroubles[(error as { name?: string }).name ?? ''];
  if (trouble === undefined) return '';
  const right = act === 'read' ? 'kms:Decrypt' : 'kms:GenerateDataKey';
  return ` The stream is encrypted, and ${trouble}; to ${act === 'read' ? 'read from' : 'write to'} it takes ${right} on the key.`;
}
