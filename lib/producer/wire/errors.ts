/**
 * Errors that end a whole request, with either transport. None of them holds a credential or the body of a
 * request. `retryable`: another attempt may succeed; for a ServiceError, the caller decides by the
 * exception's name.
 */

/** The service refused the request. `name` is that of its exception, as in the SDK. */
export class ServiceError extends Error {
  override readonly name: string;
  /** HTTP status of the answer. */
  readonly status: number;
  /** The id that AWS Support asks for; undefined when the answer had none. */
  readonly requestId: string | undefined;

  constructor(
    message: string,
    details: {
      readonly name: string;
      readonly status: number;
      readonly requestId: string | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = details.name;
    this.status = details.status;
    this.requestId = details.requestId;
  }
}

/** No complete answer came in time, but the records may have been written. */
export class RequestTimeoutError extends Error {
  override readonly name = 'TimeoutError';
  readonly retryable = true;

  constructor(timeoutMs: number, options?: ErrorOptions) {
    super(`No complete answer within ${timeoutMs} ms.`, options);
  }
}

/** The connection could not be made, or broke. The records may have been written. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly retryable = true;
}

/** Status 200, but not an answer to PutRecords: nothing is known about any record of the batch. */
export class UndecodableAnswerError extends Error {
  override readonly name = 'UndecodableAnswerError';
  readonly retryable = true;
}

/** The batch is larger than Kinesis takes in one request. It was not sent. */
export class RequestTooLargeError extends Error {
  override readonly name = 'RequestTooLargeError';
  readonly retryable = false;

  constructor(bytes: number, limitBytes: number) {
    super(`The request has ${bytes} bytes; Kinesis takes ${limitBytes}.`);
  }
}

/** Records of the batch cannot be encoded. Nothing was sent, and no region is to blame. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError';
  readonly retryable = false;
  /** The records at fault, by their place in the batch, and why. */
  readonly culprits: readonly { readonly index: number; readonly reason: unknown }[];

  constructor(culprits: EncodingError['culprits'], options?: ErrorOptions) {
    super(`${culprits.length} records of the batch cannot be encoded.`, options);
    this.culprits = culprits;
  }
}

/**
 * There are no credentials to sign with: the provider failed, or took longer than 10 s. `cause` is the
 * provider's failure.
 */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
  readonly retryable = true;
}

/**
 * The settings of this process and of the shared config file name no host for the region: `cause` is what the SDK's rules
 * say, for example that FIPS and a URL of one's own exclude each other. Nothing was sent.
 */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  readonly retryable = true;

  constructor(region: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `No endpoint for ${region}: ${reason}. Correct the settings of the AWS SDK (environment, shared config file) or \`endpoint\`.`,
      { cause },
    );
  }
}

/** The proxy could not be reached, or did not connect. Wrapped in a ConnectionError. Nothing was sent. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  /** In the form of node's own errors of connections. */
  readonly code = 'EPROXY';
  /** The proxy's answer was that this client may not: it wants a login, or forbids the host. */
  readonly isRefusal: boolean;

  constructor(
    message: string,
    { status, cause }: { readonly status?: number | undefined; readonly cause?: unknown },
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.isRefusal = status !== undefined && status >= 400 && status < 500;
  }
}
