import type { IncomingHttpHeaders } from 'node:http';
import { type Dispatcher, errors, Pool } from 'undici';
import { ConnectionError, RequestTimeoutError, UndecodableAnswerError } from './errors.ts';
import { connectorTo, type Network } from './network.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Largest answer accepted. An answer for 500 records has about 60 KB; with an error message for each, a few
 * hundred.
 */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/**
 * Idle connections are closed after this time, before the peer or a middlebox is likely to close them
 * [inferred: 60 s and more are usual].
 */
const KEEP_ALIVE_MS = 20_000;

/** Keep-alive connections to one origin over HTTP/1.1, one request on each at a time. TLS is verified. */
export function connectionsTo(
  origin: string,
  {
    connections,
    timeoutMs,
    network,
  }: { readonly connections: number; readonly timeoutMs: number; readonly network: Network },
): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    // With HTTP/2 one connection would carry all requests, and one lost packet would delay them all.
    allowH2: false,
    connect: connectorTo(origin, { timeoutMs, network }),
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
}

/**
 * Sends once and resolves with the whole answer. `timeoutMs` bounds everything from waiting for a connection
 * to the last byte of the body; undici's own time-outs bound only parts, and restart with every chunk.
 *
 * @throws RequestTimeoutError, ConnectionError, UndecodableAnswerError
 */
export function exchange(pool: Pool, request: HttpRequest, timeoutMs: number): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const handler = new Exchange({ resolve, reject, timeoutMs });
    try {
      pool.dispatch(
        { method: 'POST', path: request.path, headers: request.headers, body: request.body },
        handler,
      );
    } catch (error) {
      handler.onResponseError(undefined, error);
    }
  });
}

interface Outcome {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly timeoutMs: number;
}

/** A handler of undici's lowest-level interface: no stream, no abort signal and no buffering per request. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #outcome: Outcome;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #expired = false;

  constructor(outcome: Outcome) {
    this.#outcome = outcome;
    this.#timer = setTimeout(() => this.#expire(), outcome.timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The request got its connection after its time-out and must not be sent, because no caller waits for it.
    if (this.#expired) controller.abort(new RequestTimeoutError(this.#outcome.timeoutMs));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer);
    const [only, ...more] = this.#chunks;
    const body = only !== undefined && more.length === 0 ? only : Buffer.concat(this.#chunks);
    this.#outcome.resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: unknown): void {
    clearTimeout(this.#timer);
    this.#outcome.reject(translated(error, this.#outcome.timeoutMs));
  }

  #expire(): void {
    this.#expired = true;
    const error = new RequestTimeoutError(this.#outcome.timeoutMs);
    this.#outcome.reject(error);
    this.#controller?.abort(error);
  }
}

function translated(cause: unknown, timeoutMs: number): Error {
  if (cause instanceof RequestTimeoutError) return cause;
  if (
    cause instanceof errors.ConnectTimeoutError ||
    cause instanceof errors.HeadersTimeoutError ||
    cause instanceof errors.BodyTimeoutError
  ) {
    return new RequestTimeoutError(timeoutMs, { cause });
  }
  if (cause instanceof errors.ResponseExceededMaxSizeError || cause instanceof errors.HTTPParserError) {
    return new UndecodableAnswerError('The answer is not HTTP, or is too long.', { cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConnectionError(`The connection failed: ${reason}`, { cause });
}
