/**
 * The possible results of one probe call of one region, and what each one proves.
 *
 * Only failures that a caller with correct credentials, input and rate cannot cause are evidence about the
 * region. All other failures say something about the observer, and neither accuse nor acquit the region.
 */
export const errorClasses = {
  server: { evidence: true, answered: true, doubtful: false },
  timeout: { evidence: true, answered: false, doubtful: false },
  reset: { evidence: true, answered: false, doubtful: false },
  dns: { evidence: true, answered: false, doubtful: false },
  stale: { evidence: true, answered: true, doubtful: false },
  throttled: { evidence: false, answered: true, doubtful: false },
  access: { evidence: false, answered: true, doubtful: true },
  validation: { evidence: false, answered: true, doubtful: true },
  missing: { evidence: false, answered: true, doubtful: true },
  clock: { evidence: false, answered: true, doubtful: true },
  unclassified: { evidence: false, answered: false, doubtful: true },
} as const satisfies Record<string, ErrorClassMeaning>;

interface ErrorClassMeaning {
  /** Counts against the region. */
  readonly evidence: boolean;
  /** The region answered at all, so it is reachable. */
  readonly answered: boolean;
  /** Credentials, input, resources or clock of the observer may be wrong: both regions together show it (blame.ts). */
  readonly doubtful: boolean;
}

export type ErrorClass = keyof typeof errorClasses;

/**
 * How a record is read back after its put: once at once, and once more after a pause. By then it is there to be
 * read, as a rule; AWS promises no time. [inferred]
 */
export const READ_BACK = { attempts: 2, pauseMs: 300 } as const;

export type ProbeOutcome =
  | { readonly ok: true; readonly latencyMs: number }
  | {
      readonly ok: false;
      readonly latencyMs: number;
      readonly errorClass: ErrorClass;
      readonly detail: string;
    };

/** The few facts of an SDK or socket error that classification needs. */
export interface ErrorFacts {
  /** `error.name`: the service's exception, or `TimeoutError`, `AbortError`. */
  readonly name: string;
  /** `error.code`: a Node.js system error code. */
  readonly code?: string | undefined;
  /** HTTP status, when an answer came. */
  readonly status?: number | undefined;
}

interface ErrorRule {
  readonly errorClass: ErrorClass;
  readonly matches: (facts: ErrorFacts) => boolean;
}

const named =
  (...names: readonly string[]) =>
  (facts: ErrorFacts): boolean =>
    names.includes(facts.name) || (facts.code !== undefined && names.includes(facts.code));

/**
 * First match wins. Named exceptions come before status codes because AWS answers throttling and skewed clocks with
 * several statuses (AWS General Reference, "Common error types").
 */
const errorRules: readonly ErrorRule[] = [
  { errorClass: 'dns', matches: named('ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ENODATA') },
  {
    errorClass: 'clock',
    matches: named(
      'RequestTimeTooSkewed',
      'RequestExpired',
      'RequestInTheFuture',
      'InvalidSignatureException',
      'SignatureDoesNotMatch',
    ),
  },
  {
    errorClass: 'throttled',
    matches: (facts) =>
      facts.status === 429 ||
      named(
        'ProvisionedThroughputExceededException',
        'LimitExceededException',
        'Throttling',
        'ThrottlingException',
        'ThrottledException',
        'RequestThrottled',
        'RequestThrottledException',
        'RequestLimitExceeded',
        'TooManyRequestsException',
        'SlowDown',
        'KMSThrottlingException',
      )(facts),
  },
  {
    errorClass: 'access',
    matches: (facts) =>
      facts.status === 401 ||
      facts.status === 403 ||
      named(
        'AccessDenied',
        'AccessDeniedException',
        'UnrecognizedClientException',
        'InvalidClientTokenId',
        'ExpiredToken',
        'ExpiredTokenException',
        'InvalidAccessKeyId',
        'AuthFailure',
        'MissingAuthenticationToken',
        'MissingAuthenticationTokenException',
        'IncompleteSignature',
        'IncompleteSignatureException',
        'CredentialsProviderError',
        'TokenProviderError',
        'KMSAccessDeniedException',
        // A key that is disabled, gone or not to be used: the stream’s owner has to act, as for a permission.
        'KMSDisabledException',
        'KMSInvalidStateException',
        'KMSNotFoundException',
        'KMSOptInRequired',
      )(facts),
  },
  { errorClass: 'missing', matches: named('ResourceNotFoundException', 'ResourceNotFound') },
  {
    errorClass: 'timeout',
    matches: named(
      'TimeoutError',
      'AbortError',
      'ETIMEDOUT',
      'ESOCKETTIMEDOUT',
      'EHOSTUNREACH',
      'ENETUNREACH',
    ),
  },
  { errorClass: 'reset', matches: named('ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ECONNABORTED', 'EPROTO') },
  {
    errorClass: 'server',
    matches: (facts) =>
      (facts.status !== undefined && facts.status >= 500) ||
      named(
        'InternalFailure',
        'InternalFailureException',
        'InternalServerError',
        'ServiceUnavailable',
        // The SDK throws this for a body that it cannot decode, whatever the status.
        'SyntaxError',
      )(facts),
  },
  {
    errorClass: 'validation',
    matches: (facts) => facts.status !== undefined && facts.status >= 400 && facts.status < 500,
  },
];

/**
 * The class of an error. An unknown error counts as the observer's problem until a rule says otherwise: it
 * accuses no region.
 */
export function classifyError(facts: ErrorFacts): ErrorClass {
  return errorRules.find((rule) => rule.matches(facts))?.errorClass ?? 'unclassified';
}
