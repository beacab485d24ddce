import { randomUUID } from 'node:crypto';
import type { RequestFacts } from './request-facts.ts';

export interface ErrorShape {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answer of each service when it throttles; other services answer ThrottlingException. */
const throttles: Readonly<Record<string, Omit<ErrorShape, 'message'>>> = {
  kinesis: { status: 400, code: 'ProvisionedThroughputExceededException' },
  dynamodb: { status: 400, code: 'ProvisionedThroughputExceededException' },
  lambda: { status: 429, code: 'TooManyRequestsException' },
  cloudwatch: { status: 400, code: 'Throttling' },
  sts: { status: 400, code: 'Throttling' },
  route53: { status: 400, code: 'Throttling' },
};

export function throttleOf(service: string): ErrorShape {
  const shape = throttles[service] ?? { status: 400, code: 'ThrottlingException' };
  return { ...shape, message: 'Rate exceeded' };
}

/**
 * Writes an error as the service's protocol does, so that an SDK raises the exception it would raise in
 * production (smithy.io: "AWS JSON", "AWS query", "AWS restJson1" and "AWS restXml" protocols, operation
 * error serialization).
 */
export function errorAnswer({ status, code, message }: ErrorShape, facts: RequestFacts): ErrorAnswer {
  const requestId = randomUUID();
  const id = { 'x-amzn-requestid': requestId };
  const type = status >= 500 ? 'Receiver' : 'Sender';
  switch (facts.protocol) {
    case 'json':
      return {
        status,
        // Services that once used the query protocol send their old error code in a separate header.
        headers: {
          ...id,
          'content-type': 'application/x-amz-json-1.1',
          ...(facts.service === 'cloudwatch' && { 'x-amzn-query-error': `${code};${type}` }),
        },
        body: JSON.stringify({ __type: code, message }),
      };
    case 'rest-json':
      return {
        status,
        headers: { ...id, 'content-type': 'application/json', 'x-amzn-errortype': code },
        body: JSON.stringify({ Type: type, message }),
      };
    case 'query':
    case 'rest-xml':
      return { status, headers: { ...id, 'content-type': 'text/xml' }, body: xml() };
    case 'plain':
      return { status, headers: { ...id, 'content-type': 'text/plain' }, body: message };
    default:
      return facts.protocol satisfies never;
  }

  function xml(): string {
    const error = `<Error><Type>${type}</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`;
    return `<?xml version="1.0"?><ErrorResponse>${error}<RequestId>${requestId}</RequestId></ErrorResponse>`;
  }
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
