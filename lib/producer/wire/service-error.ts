import { encodingOf } from './encodings.ts';
import { ServiceError } from './errors.ts';
import type { HttpAnswer } from './exchange.ts';

/** Longest part of an error message that is kept, because it goes to logs. */
const MAX_MESSAGE_CHARACTERS = 1_000;

/** The error in a failed answer: in either protocol, or in whatever form a load balancer in between used. */
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
 * Turns `com.amazonaws.kinesis.v20131202#Name` or `Name:http://…` into `Name` (AWS JSON 1.1 protocol,
 * "Operation error serialization": clients must strip both).
 */
function shapeName(type: string): string {
  const name = type.split(':')[0] ?? '';
  return name.slice(name.indexOf('#') + 1) || type;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
