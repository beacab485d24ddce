import { encodingOf } from './encodings.ts';
import { ServiceError } from './errors.ts';
import type { HttpAnswer } from './exchange.ts';

/** The longest message kept of an answer that failed: it goes to logs. */
const MAX_MESSAGE_CHARACTERS = 1_000;

/** Reads the answer of a refused request: of either protocol, or whatever a load balancer in between says. */
export function serviceError({ status, headers, body }: HttpAnswer): ServiceError {
  const fields = encodingOf(headers['content-type']).fields(body);
  const type = text(fields.__type) ?? text(fields.code) ?? text(headers['x-amzn-errortype']);
  const message = text(fields.message) ?? text(fields.Message) ?? `HTTP status ${status}`;
  return new ServiceError(message.slice(0, MAX_MESSAGE_CHARACTERS), {
    name: type === undefined ? `Http${status}` : shapeName(type),
    status,
    requestId: text(headers['x-amzn-requestid']) ?? text(headers['x-amz-request-id']),
  });
}

/**
 * `com.amazonaws.kinesis.v20131202#Name` or `Name:http://…` to `Name` (AWS JSON 1.1 protocol, "Operation error
 * serialization": clients must strip both).
 */
function shapeName(type: string): string {
  const name = type.split(':')[0] ?? '';
  return name.slice(name.indexOf('#') + 1) || type;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
