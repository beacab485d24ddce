import {
  ConnectionError,
  EndpointError,
  RequestTimeoutError,
  ServiceError,
  UndecodableAnswerError,
} from './errors.ts';

interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  /** The HTTP answer, where there was one. */
  readonly $response?: { readonly statusCode?: number };
}

const HTTP_OK = 200;
/** NodeHttpHandler renames these to TimeoutError, though they say that the connection broke. */
const brokenConnection: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/** Translates an error of the SDK's client into this library's errors; `cause` is the original. */
export function translatedSdkError(
  error: unknown,
  { region, timeoutMs }: { readonly region: string; readonly timeoutMs: number },
): Error {
  if (error instanceof UndecodableAnswerError) return error;
  const cause = error as SdkError;
  const status = cause.$metadata?.httpStatusCode ?? cause.$response?.statusCode;
  if (status === HTTP_OK) return new UndecodableAnswerError('The answer cannot be decoded.', { cause });
  if (status !== undefined) {
    // A body that is not JSON makes the parser throw a SyntaxError, which says nothing about the service.
    const named = cause.name !== 'SyntaxError' && cause.name !== 'Unknown' && cause.name !== 'UnknownError';
    return new ServiceError(named ? cause.message : `HTTP status ${status}`, {
      name: named ? cause.name : `Http${status}`,
      status,
      requestId: cause.$metadata?.requestId,
      cause,
    });
  }
  if (cause.name === 'EndpointError') return new EndpointError(region, cause);
  if (brokenConnection.has(cause.code)) return connectionError(cause);
  if (cause.name === 'TimeoutError' || cause.name === 'AbortError') {
    return new RequestTimeoutError(timeoutMs, { cause });
  }
  return cause.code === undefined ? cause : connectionError(cause);
}

function connectionError(cause: SdkError): ConnectionError {
  return new ConnectionError(`The connection failed: ${cause.message}`, { cause });
}
