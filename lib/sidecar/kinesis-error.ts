import {
  BufferFullError,
  DeliveryTimeoutError,
  ProducerClosedError,
  RecordError,
  StreamDistributionError,
} from '../producer/errors.ts';
import { SpoolError, SpoolFullError } from '../producer/spool/errors.ts';

/** The errors that the sidecar answers with, and their HTTP status. The names and the statuses are those of Kinesis. */
export const kinesisCodes = {
  ProvisionedThroughputExceededException: 400,
  ValidationException: 400,
  InvalidArgumentException: 400,
  SerializationException: 400,
  ResourceNotFoundException: 400,
  LimitExceededException: 400,
  UnknownOperationException: 400,
  AccessDeniedException: 400,
  RequestEntityTooLargeException: 413,
  InternalFailure: 500,
  ServiceUnavailable: 503,
} as const;
export type KinesisCode = keyof typeof kinesisCodes;

/** An answer that is an error. `name` is its code. */
export class KinesisError extends Error {
  override readonly name: string;
  readonly status: number;

  constructor(code: KinesisCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = code;
    this.status = kinesisCodes[code];
  }
}

/** What a record or a request is answered with. */
export interface ToldError {
  readonly code: string;
  readonly status: number;
  readonly message: string;
}

type ErrorClass = abstract new (...parameters: never[]) => Error;

interface ErrorRow {
  readonly of: ErrorClass;
  readonly code: KinesisCode;
  /** For docs/sidecar.md. */
  readonly means: string;
}

/** The first row that fits counts. */
export const producerErrors: readonly ErrorRow[] = [
  {
    of: BufferFullError,
    code: 'ProvisionedThroughputExceededException',
    means: 'memory is full, or the share of the key or shard: nothing was written; try again later',
  },
  {
    of: SpoolFullError,
    code: 'ProvisionedThroughputExceededException',
    means: 'no region takes records and the spool is full: nothing was written; try again later',
  },
  { of: RecordError, code: 'InvalidArgumentException', means: 'every region would refuse the record' },
  {
    of: DeliveryTimeoutError,
    code: 'InternalFailure',
    means: 'without a spool: no region took the record in time, but it may have been written',
  },
  {
    of: SpoolError,
    code: 'InternalFailure',
    means: 'the disk of the spool failed; the record may have been written',
  },
  {
    of: StreamDistributionError,
    code: 'InvalidArgumentException',
    means:
      'the stream has service-managed distribution, which keeps no order and loses aggregates: `--order none`, without `--aggregate`',
  },
  { of: ProducerClosedError, code: 'InternalFailure', means: 'the sidecar is ending' },
];

/** Error codes of Kinesis that answer with the status of a failure of the server. */
const serverFailures = /^(?:Internal(?:Failure|Server).*|ServiceUnavailable.*|Http5\d\d)$/;
/** What a code of Kinesis looks like: names of errors of Node or of connections are told as InternalFailure. */
const serviceCode = /^[A-Z]\w*Exception$/;

/** With the failure of the last attempt, such as a right that the role lacks. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message} ${cause.name}: ${cause.message}` : message;
}

/** What a client is told of a failure of the producer. The codes of Kinesis itself are passed on. */
export function toldError(error: Error): ToldError {
  if (error instanceof KinesisError)
    return { code: error.name, status: error.status, message: error.message };
  const row = producerErrors.find(({ of }) => error instanceof of);
  if (row !== undefined) return { code: row.code, status: kinesisCodes[row.code], message: reasonOf(error) };
  if (serviceCode.test(error.name) && !serverFailures.test(error.name)) {
    return { code: error.name, status: 400, message: error.message };
  }
  return { code: 'InternalFailure', status: kinesisCodes.InternalFailure, message: error.message };
}
