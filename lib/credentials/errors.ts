/** Nobody here could say who asks: what gives the credentials failed. `cause` says how. Nothing was sent to a region. */
export class NoCredentialsError extends Error {
  override readonly name = 'NoCredentialsError';
}

/** What gives the credentials (a process, a metadata service, a sign-in portal) has not answered in time. */
export class ProviderTimeoutError extends Error {
  override readonly name = 'ProviderTimeoutError';
}

/** A profile is named that none of the shared files has. */
export class NoSuchProfileError extends Error {
  override readonly name = 'NoSuchProfileError';
}

/** The region answered, to these credentials, and what it said is of no use. */
export class UnusableAnswerError extends Error {
  override readonly name = 'UnusableAnswerError';
}
