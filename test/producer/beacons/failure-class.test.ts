import { describe, expect, it } from 'vitest';
import { failureClassOf } from '../../../lib/producer/beacons/failure-class.ts';
import { RecordFailure } from '../../../lib/producer/errors.ts';
import {
  ConnectionError,
  CredentialsError,
  RequestTimeoutError,
  RequestTooLargeError,
  ServiceError,
  UndecodableAnswerError,
} from '../../../lib/producer/wire/errors.ts';

const service = (name: string, status: number) =>
  new ServiceError('x', { name, status, requestId: undefined });
const connection = (code: string) =>
  new ConnectionError('x', { cause: Object.assign(new Error('x'), { code }) });

describe('the fault of a failed write', () => {
  it.each([
    ['server', service('InternalFailure', 500)],
    ['server', service('Http503', 503)],
    ['server', new RecordFailure('InternalFailure', '')],
    ['server', new UndecodableAnswerError('x')],
    ['timeout', new RequestTimeoutError(3_000)],
    ['reset', connection('ECONNREFUSED')],
    ['reset', connection('UND_ERR_SOCKET')],
    ['dns', connection('ENOTFOUND')],
    ['throttled', new RecordFailure('ProvisionedThroughputExceededException', '')],
    ['throttled', service('KMSThrottlingException', 400)],
    ['access', service('AccessDeniedException', 400)],
    ['access', new CredentialsError('x')],
    ['access', service('InvalidSignatureException', 400)],
    ['validation', service('ValidationException', 400)],
    ['validation', new RequestTooLargeError(2, 1)],
    ['other', service('ResourceNotFoundException', 400)],
    ['other', new Error('who knows')],
    ['other', undefined],
    // As the SDK's own client throws them.
    ['server', { name: 'InternalFailure', $metadata: { httpStatusCode: 500 } }],
    ['timeout', { name: 'TimeoutError' }],
    ['reset', { name: 'Error', code: 'ECONNRESET' }],
  ])('is %s', (as, error) => {
    expect(failureClassOf(error)).toBe(as);
  });
});
