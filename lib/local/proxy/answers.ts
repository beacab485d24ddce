import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorAnswer } from '../../scenario/error-response.ts';
import type { RequestFacts } from '../../scenario/request-facts.ts';

export function answerError(
  response: ServerResponse,
  facts: RequestFacts,
  shape: Parameters<typeof errorAnswer>[0],
): void {
  const { status, headers, body } = errorAnswer(shape, facts);
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** As a function URL says it. */
export function tooMany(response: ServerResponse): void {
  response.writeHead(429, { 'content-type': 'application/json' });
  response.end('{"Message":"Rate Exceeded."}');
}

export function refuse(response: ServerResponse): void {
  response.writeHead(413, { connection: 'close' });
  response.end();
}

/** The body is sent whole, with a length of its own. */
export function withoutLength(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const { 'transfer-encoding': _encoding, connection: _connection, ...rest } = headers;
  return rest;
}
