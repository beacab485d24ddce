import { AsyncLocalStorage } from 'node:async_hooks';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type Context,
  context,
  metrics,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { ATTR_ERROR_TYPE, ATTR_SERVER_ADDRESS } from '@opentelemetry/semantic-conventions';
import {
  ATTR_AWS_KINESIS_STREAM_NAME,
  ATTR_CLOUD_REGION,
  ATTR_MESSAGING_BATCH_MESSAGE_COUNT,
  ATTR_MESSAGING_DESTINATION_NAME,
  ATTR_MESSAGING_OPERATION_NAME,
  ATTR_MESSAGING_OPERATION_TYPE,
  ATTR_MESSAGING_SYSTEM,
  ATTR_MESSAGING_SYSTEM_NAME,
  METRIC_MESSAGING_CLIENT_OPERATION_DURATION,
  METRIC_MESSAGING_CLIENT_SENT_MESSAGES,
} from '@opentelemetry/semantic-conventions/incubating';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FailoverProducer, type ProducerOptions } from '../../lib/producer/index.ts';
import { openTelemetry } from '../../lib/producer/telemetry/api.ts';
import { gaugeRows } from '../../lib/producer/telemetry/gauges.ts';
import { ShardedKinesis } from './sharded-kinesis.ts';
import { type SignalServer, startSignalServer } from './signal-server.ts';

const EAST = 'us-east-1';
const SIGNAL = 'signal.telemetry.test';
const shared = {
  [ATTR_MESSAGING_SYSTEM_NAME]: 'aws.kinesis',
  [ATTR_MESSAGING_SYSTEM]: 'aws.kinesis',
  [ATTR_MESSAGING_OPERATION_NAME]: 'send',
  [ATTR_MESSAGING_OPERATION_TYPE]: 'send',
  [ATTR_MESSAGING_DESTINATION_NAME]: 'orders',
  [ATTR_AWS_KINESIS_STREAM_NAME]: 'orders',
  [ATTR_CLOUD_REGION]: EAST,
  [ATTR_SERVER_ADDRESS]: '127.0.0.1',
};

let kinesis: ShardedKinesis;
let dns: SignalServer;
let producers: FailoverProducer[];
let spans: InMemorySpanExporter;
let collected: InMemoryMetricExporter;
let meters: MeterProvider;

beforeEach(async () => {
  producers = [];
  kinesis = new ShardedKinesis();
  await kinesis.listen();
  dns = await startSignalServer(`v=1; region=${EAST}; stream=orders`);
  spans = new InMemorySpanExporter();
  collected = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  meters = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: collected, exportIntervalMillis: 3_600_000 })],
  });
});

afterEach(async () => {
  await Promise.all(producers.map((producer) => producer.close({ timeoutMs: 1 })));
  trace.disable();
  metrics.disable();
  await meters.shutdown();
  kinesis.close();
  await dns.close();
});

/** As an application does, before or after it makes its producers. */
function registerSdk(): void {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
  );
  metrics.setGlobalMeterProvider(meters);
}

async function producer(options: Partial<ProducerOptions> = {}): Promise<FailoverProducer> {
  const made = new FailoverProducer({
    signal: { name: SIGNAL, servers: [dns.address], pollMs: 20 },
    regions: [EAST],
    endpoint: () => kinesis.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    retryBaseMs: 1,
    retryMaxMs: 2,
    ...options,
  });
  producers.push(made);
  // Requests of the first milliseconds are not told.
  await openTelemetry();
  return made;
}

const record = (key: string, data = 'x') => ({ partitionKey: key, data });

/** Points of a metric, by its name: their attributes and value. */
async function points(
  name: string,
): Promise<readonly { readonly attributes: object; readonly value: unknown }[]> {
  collected.reset();
  await meters.forceFlush();
  const found = collected
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics));
  const [metric] = found.filter(({ descriptor }) => descriptor.name === name);
  return (metric?.dataPoints ?? []).map(({ attributes, value }) => ({ attributes, value }));
}

describe('a request', () => {
  beforeEach(registerSdk);

  it('is a span of its own trace, by the conventions of messaging', async () => {
    kinesis.delayMs = 30;
    const one = await producer();
    const before = Date.now();
    await one.putMany([record('a'), record('b'), record('c')]);
    const [span, ...others] = spans.getFinishedSpans();
    expect(others).toEqual([]);
    expect(span).toMatchObject({ name: 'send orders', kind: SpanKind.CLIENT, parentSpanContext: undefined });
    expect(span?.attributes).toEqual({ ...shared, [ATTR_MESSAGING_BATCH_MESSAGE_COUNT]: 3 });
    const ms = ([seconds, nanoseconds]: readonly [number, number]): number =>
      seconds * 1_000 + nanoseconds / 1e6;
    expect(ms(span?.duration ?? [0, 0])).toBeGreaterThanOrEqual(29);
    expect(ms(span?.startTime ?? [0, 0])).toBeGreaterThan(before - 50);
    expect(ms(span?.endTime ?? [0, 0])).toBeLessThan(Date.now() + 50);
  });

  it('is no child of a caller’s span, whose trace holds other records', async () => {
    const active = new AsyncLocalStorage<Context>();
    context.setGlobalContextManager({
      active: () => active.getStore() ?? ROOT_CONTEXT,
      with: (one, run, that, ...args) => active.run(one, () => run.call(that as never, ...args)),
      bind: (_, target) => target,
      enable: () => context as never,
      disable: () => context as never,
    });
    onTestFinished(() => context.disable());
    const one = await producer();
    // Once there is a signal, what a caller puts is sent in the caller's context.
    await one.put(record('before'));
    spans.reset();
    const caller = trace.getTracer('application').startSpan('a request of the application');
    await context.with(trace.setSpan(context.active(), caller), () => one.put(record('a')));
    const [span] = spans.getFinishedSpans();
    expect(span?.spanContext().traceId).not.toBe(caller.spanContext().traceId);
    expect(span?.parentSpanContext).toBeUndefined();
  });

  it('is counted by its records, and timed in seconds', async () => {
    const one = await producer();
    await one.putMany([record('a'), record('b')]);
    await one.put(record('c'));
    expect(await points(METRIC_MESSAGING_CLIENT_SENT_MESSAGES)).toEqual([{ attributes: shared, value: 3 }]);
    const [point] = await points(METRIC_MESSAGING_CLIENT_OPERATION_DURATION);
    expect(point).toMatchObject({ attributes: shared, value: { count: 2 } });
    expect(point?.value).toHaveProperty('sum', expect.closeTo(0, 0));
  });

  it('of which records are refused says how many, and why', async () => {
    let left = 2;
    kinesis.refuses = () => left-- > 0;
    const one = await producer({ order: 'none' });
    await one.putMany([record('a'), record('b'), record('c')]);
    const [first, second] = spans.getFinishedSpans();
    const type = { [ATTR_ERROR_TYPE]: 'ProvisionedThroughputExceededException' };
    expect(first?.attributes).toEqual({
      ...shared,
      ...type,
      [ATTR_MESSAGING_BATCH_MESSAGE_COUNT]: 3,
      'spillway.batch.refused_count': 2,
    });
    // Most of it may be in the stream.
    expect(first?.status.code).toBe(SpanStatusCode.UNSET);
    expect(second?.attributes[ATTR_ERROR_TYPE]).toBeUndefined();
    const sent = await points(METRIC_MESSAGING_CLIENT_SENT_MESSAGES);
    expect(sent).toEqual(
      expect.arrayContaining([
        { attributes: shared, value: 3 },
        { attributes: { ...shared, ...type }, value: 2 },
      ]),
    );
  });

  it('that fails is an error, by its type and never by its text', async () => {
    kinesis.isFailing = true;
    const one = await producer();
    one.once('retrying', () => {
      kinesis.isFailing = false;
    });
    await one.put(record('a'));
    const [failed, good] = spans.getFinishedSpans();
    expect(failed).toMatchObject({ status: { code: SpanStatusCode.ERROR } });
    expect(failed?.attributes).toEqual({
      ...shared,
      [ATTR_ERROR_TYPE]: 'InternalFailure',
      [ATTR_MESSAGING_BATCH_MESSAGE_COUNT]: 1,
    });
    expect(good?.status.code).toBe(SpanStatusCode.UNSET);
  });
});

describe('what waits', () => {
  /** Test files share a process, and with it the signals that its producers have followed. */
  const ours = async (name: string) =>
    (await points(name)).filter(({ attributes }) => Object.values(attributes).includes(SIGNAL));

  it('is observed when somebody collects, and added up for producers of one signal', async () => {
    registerSdk();
    const [one, other] = [await producer(), await producer()];
    kinesis.hangsOn = 'stuck';
    for (const each of [one, other]) each.put(record('stuck')).catch(() => {});
    await vi.waitUntil(() => one.stats().inFlightRequests + other.stats().inFlightRequests === 2);
    const attributes = { 'spillway.signal': SIGNAL };
    expect(await ours('spillway.producer.buffered_records')).toEqual([{ attributes, value: 2 }]);
    expect(await ours('spillway.producer.in_flight_requests')).toEqual([{ attributes, value: 2 }]);
    expect(await ours('spillway.producer.spooled_records')).toEqual([{ attributes, value: 0 }]);
    await one.close({ timeoutMs: 1 });
    expect(await ours('spillway.producer.buffered_records')).toEqual([{ attributes, value: 1 }]);
    await other.close({ timeoutMs: 1 });
    // Else an SDK reports the last value for ever.
    expect(await ours('spillway.producer.buffered_records')).toEqual([{ attributes, value: 0 }]);
  });

  it('never counts fewer retries when a producer is closed', async () => {
    registerSdk();
    const [one, other] = [await producer(), await producer()];
    kinesis.isFailing = true;
    one.once('retrying', () => {
      kinesis.isFailing = false;
    });
    await one.put(record('a'));
    const value = async (): Promise<number> => Number((await ours('spillway.producer.retries'))[0]?.value);
    const before = await value();
    expect(before).toBeGreaterThan(0);
    await one.close();
    expect(await value()).toBe(before);
    await other.close();
  });

  it('has a row for each metric in docs/telemetry.md', async () => {
    const { readFile } = await import('node:fs/promises');
    const document = await readFile(new URL('../../docs/telemetry.md', import.meta.url), 'utf8');
    for (const { name } of gaugeRows) expect(document).toContain(`\`${name}\``);
    for (const name of [METRIC_MESSAGING_CLIENT_OPERATION_DURATION, METRIC_MESSAGING_CLIENT_SENT_MESSAGES])
      expect(document).toContain(`\`${name}\``);
    for (const name of Object.keys(shared)) expect(document).toContain(`\`${name}\``);
  });
});

describe('an application', () => {
  it('may register its SDK when the producer works already', async () => {
    const one = await producer();
    await one.put(record('before'));
    registerSdk();
    await one.put(record('after'));
    expect(spans.getFinishedSpans()).toHaveLength(1);
    expect(await points(METRIC_MESSAGING_CLIENT_SENT_MESSAGES)).toEqual([{ attributes: shared, value: 1 }]);
  });

  it('may have it off', async () => {
    registerSdk();
    const one = await producer({ telemetry: false });
    await one.put(record('a'));
    expect(spans.getFinishedSpans()).toEqual([]);
    expect(await points(METRIC_MESSAGING_CLIENT_SENT_MESSAGES)).toEqual([]);
  });

  it('whose SDK throws still has its records written', async () => {
    trace.setGlobalTracerProvider({
      getTracer: () => {
        throw new Error('broken');
      },
    });
    const one = await producer();
    await one.put(record('a'));
    await one.put(record('b'));
    expect(kinesis.arrivals).toHaveLength(2);
  });

  it('without the package has no cost, no failure and no warning', async () => {
    const fixture = fileURLToPath(new URL('./fixtures/without-open-telemetry.ts', import.meta.url));
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [fixture, dns.address, kinesis.url],
      {
        timeout: 15_000,
      },
    );
    expect(JSON.parse(stdout)).toEqual({ isLoaded: false, looked: 1, region: EAST });
    expect(stderr).toBe('');
  });
});
