/** There are no credentials, because their source failed. `cause` says how. Nothing was sent to a region. */
export class NoCredentialsError extends Error {
  override readonly name = 'NoCredentialsError';
}

/**
 * The source of the credentials (a process, a metadata service, a sign-in portal) has not answered in time.
 */
export class ProviderTimeoutError extends Error {
  override readonly name = 'ProviderTimeoutError';
}

/** A profile is named that none of the shared files has. */
export class NoSuchProfileError extends Error {
  override readonly name = 'NoSuchProfileError';
}

/** The region answered these credentials, but the answer is of no use. */
export class UnusableAnswerError extends Error {
  override readonly name = 'UnusableAnswerError';
}
