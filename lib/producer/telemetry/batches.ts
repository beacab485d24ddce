import type { Attributes, Counter, Histogram, MeterProvider } from '@opentelemetry/api';
import { type Api, SCOPE } from './api.ts';
import { errorType, OPERATION, type SentBatch, type StreamAttributes } from './attributes.ts';

interface Instruments {
  readonly provider: MeterProvider;
  readonly duration: Histogram;
  readonly sent: Counter;
}

/** Seconds, as the conventions have them for this histogram. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Writes a span and the metrics of each request. Costs a few calls a request, and nothing for each record. */
export class Batches {
  readonly #api: Api;
  readonly #attributes: StreamAttributes;
  #instruments: Instruments | undefined;

  constructor(api: Api, attributes: StreamAttributes) {
    this.#api = api;
    this.#attributes = attributes;
  }

  sent(batch: SentBatch): void {
    const shared = this.#attributes.of(batch);
    const error = batch.failure ?? batch.refused[0];
    const attributes = error === undefined ? shared : { ...shared, 'error.type': errorType(error) };
    this.#span(batch, attributes);
    const { duration, sent } = this.#current();
    duration.record(batch.tookMs / 1_000, attributes);
    if (batch.failure !== undefined) {
      sent.add(batch.records, attributes);
      return;
    }
    const taken = batch.records - batch.refused.length;
    if (taken > 0) sent.add(taken, shared);
    for (const [type, some] of Map.groupBy(batch.refused, errorType))
      sent.add(some.length, { ...shared, 'error.type': type });
  }

  /** A span of its own trace: a request has records of many callers. It is over, so its times are given. */
  #span({ records, refused, failure, tookMs, stream }: SentBatch, attributes: Attributes): void {
    const { trace, SpanKind, SpanStatusCode } = this.#api;
    const endMs = performance.timeOrigin + performance.now();
    const span = trace.getTracer(SCOPE).startSpan(`${OPERATION} ${stream}`, {
      kind: SpanKind.CLIENT,
      root: true,
      startTime: endMs - tookMs,
      attributes: {
        ...attributes,
        'messaging.batch.message_count': records,
        ...(refused.length > 0 && { 'spillway.batch.refused_count': refused.length }),
      },
    });
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(endMs);
  }

  /** Instruments belong to their provider, and an application may register one, or another, at any time. */
  #current(): Instruments {
    const provider = this.#api.metrics.getMeterProvider();
    if (this.#instruments?.provider === provider) return this.#instruments;
    const meter = provider.getMeter(SCOPE);
    this.#instruments = {
      provider,
      duration: meter.createHistogram('messaging.client.operation.duration', {
        unit: 's',
        description: 'Duration of messaging operation initiated by a producer or consumer client.',
        advice: { explicitBucketBoundaries: BUCKETS },
      }),
      sent: meter.createCounter('messaging.client.sent.messages', {
        unit: '{message}',
        description: 'Number of messages producer attempted to send to the broker.',
      }),
    };
    return this.#instruments;
  }
}
