import type { Attributes } from '@opentelemetry/api';

/** A request that was sent, and what became of it. */
export interface SentBatch {
  readonly region: string;
  readonly stream: string;
  /** Records in the request. */
  readonly records: number;
  /** Why records of it are not in the stream, each. */
  readonly refused: readonly unknown[];
  /** Why the request failed as a whole. */
  readonly failure: unknown;
  readonly tookMs: number;
}

export const OPERATION = 'send';

/**
 * By the semantic conventions of OpenTelemetry 1.45 for messaging. They have no value for Kinesis; this one is like those of SQS and
 * SNS. Many backends know the name of the system by its former key alone.
 */
const always: Attributes = {
  'messaging.system.name': 'aws.kinesis',
  'messaging.system': 'aws.kinesis',
  'messaging.operation.name': OPERATION,
  'messaging.operation.type': 'send',
};

/** Regions and streams of which the attributes are kept: a process writes to few. */
const MOST_KEPT = 100;

export interface AttributesOptions {
  /** Host of Kinesis in a region, where the application says it. */
  readonly hostOf: (region: string) => string | undefined;
}

/** The attributes that all requests to a stream share. */
export class StreamAttributes {
  readonly #options: AttributesOptions;
  readonly #kept = new Map<string, Attributes>();

  constructor(options: AttributesOptions) {
    this.#options = options;
  }

  of({ region, stream }: Pick<SentBatch, 'region' | 'stream'>): Attributes {
    const id = `${region}/${stream}`;
    let attributes = this.#kept.get(id);
    if (attributes === undefined) {
      const host = this.#options.hostOf(region);
      attributes = {
        ...always,
        'messaging.destination.name': stream,
        'aws.kinesis.stream_name': stream,
        'cloud.region': region,
        ...(host === undefined ? {} : { 'server.address': host }),
      };
      if (this.#kept.size < MOST_KEPT) this.#kept.set(id, attributes);
    }
    return attributes;
  }
}

/** A name that an error's class or code has; never its message, which would be another one each time. */
export function errorType(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  return /^[\w.-]{1,100}$/.test(name) ? name : '_OTHER';
}
