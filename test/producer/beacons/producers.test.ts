import { KinesisClient, PutRecordCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type BeaconItem, countedIn, tallyOf } from '../../../lambda/core/beacon-item.ts';
import {
  FailoverProducer,
  type FollowedClient,
  followSignal,
  type ProducerOptions,
} from '../../../lib/producer/index.ts';
import { type Sink, startSink } from '../sink/sink.ts';
import { denied, type FakeStandby, plainItem, startFakeStandby } from './fake-standby.ts';

const REGION = 'us-east-1';
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

let sink: Sink;
let standby: FakeStandby;
let producer: FailoverProducer | undefined;
let followed: FollowedClient | undefined;
let client: KinesisClient | undefined;

beforeEach(async () => {
  vi.stubEnv('SPILLWAY_REGION', REGION);
  sink = await startSink({ tls: false });
  standby = await startFakeStandby();
});
afterEach(async () => {
  await producer?.close({ timeoutMs: 1 });
  followed?.close();
  client?.destroy();
  [producer, followed, client] = [undefined, undefined, undefined];
  await sink.close();
  await standby.close();
  vi.unstubAllEnvs();
});

const beacons = () => ({ table: 'shop-beacons', region: 'us-west-2', endpoint: standby.url });

function create(options: Partial<ProducerOptions> = {}): FailoverProducer {
  producer = new FailoverProducer({
    signal: { name: 'signal.orders.example.com' },
    regions: [REGION, 'us-west-2'],
    streamName: 'orders',
    endpoint: () => sink.url,
    credentials,
    // The first beacon comes after a drawn time.
    random: () => 0.02,
    beacons: beacons(),
    ...options,
  });
  return producer;
}

const items = (): readonly BeaconItem[] => standby.items.map(plainItem) as unknown as readonly BeaconItem[];
const first = async (): Promise<BeaconItem> => {
  await vi.waitFor(() => expect(items().length).toBeGreaterThan(0), { timeout: 15_000 });
  return items()[0] as BeaconItem;
};

describe('a producer with beacons', () => {
  it.each(['fast', 'sdk'] as const)('reports what it put: %s', async (transport) => {
    const many = Array.from({ length: 1_000 }, (_, n) => ({ partitionKey: `k${n}`, data: 'x' }));
    await create({ transport }).putMany(many);
    const { regions, sk, domain } = await first();
    expect(sk).toMatch(/^[0-9a-f-]{36}\/orders$/);
    expect(domain.length).toBeGreaterThan(0);
    expect(tallyOf(regions[REGION] ?? []).ok).toBe(1_000);
  });

  it('reports requests and records that the region refused, by their class', async () => {
    await sink.behave(
      { kind: 'error', status: 500, type: 'InternalFailure' },
      { kind: 'failEntries', nth: 2, code: 'ProvisionedThroughputExceededException' },
    );
    const many = Array.from({ length: 100 }, (_, n) => ({ partitionKey: `k${n}`, data: 'x' }));
    // As JSON: a failure of CBOR is first put down to the encoding.
    await create({ encoding: 'json', maxInFlight: 1, lingerMs: 50 }).putMany(many);
    const tally = tallyOf((await first()).regions[REGION] ?? []);
    expect(tally).toMatchObject({ ok: 50, failed: { server: 100, throttled: 50 } });
    expect(countedIn(tally)).toEqual({ counted: 150, failed: 100 });
  });

  it('says once that it may not write, and delivers its records', async () => {
    standby.refuse = (operation) => (operation === 'PutItem' ? denied : undefined);
    const told: string[] = [];
    create().on('beaconProblem', (problem) => told.push(problem));
    await producer?.put({ partitionKey: 'k', data: 'x' });
    await vi.waitFor(() => expect(told).toHaveLength(1), { timeout: 15_000 });
    expect(told[0]).toMatch(/AccessDeniedException/);
    await expect(producer?.put({ partitionKey: 'k', data: 'x' })).resolves.toBeDefined();
  });

  it('closes without waiting for a beacon', async () => {
    standby.refuse = () => 'hang';
    await create().put({ partitionKey: 'k', data: 'x' });
    await vi.waitFor(() => expect(standby.calls.length).toBeGreaterThan(0), { timeout: 15_000 });
    const startedMs = performance.now();
    await producer?.close();
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it('takes its domain from the option, or from the environment', async () => {
    vi.stubEnv('SPILLWAY_BEACON_DOMAIN', 'use1-az4');
    await create().put({ partitionKey: 'k', data: 'x' });
    expect((await first()).domain).toBe('use1-az4');
    await producer?.close();
    await create({ beacons: { ...beacons(), domain: 'rack 7' } }).put({ partitionKey: 'k', data: 'x' });
    await vi.waitFor(() => expect(items().at(-1)?.domain).toBe('rack 7'), { timeout: 15_000 });
  });
});

describe('a followed client with beacons', () => {
  function follow(onProblem?: (problem: string) => void): KinesisClient {
    client = new KinesisClient({
      region: REGION,
      endpoint: sink.url,
      credentials,
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler(),
    });
    vi.spyOn(Math, 'random').mockReturnValue(0.02);
    followed = followSignal(client, {
      signal: { name: 'signal.orders.example.com' },
      regions: [REGION, 'us-west-2'],
      endpoint: () => sink.url,
      beacons: beacons(),
      ...(onProblem === undefined ? {} : { onProblem }),
    });
    return client;
  }
  afterEach(() => void vi.restoreAllMocks());
  const Records = Array.from({ length: 10 }, (_, n) => ({ PartitionKey: `k${n}`, Data: Buffer.from('x') }));

  it('reports its calls, and throws what they throw', async () => {
    await sink.behave(
      { kind: 'error', status: 500, type: 'InternalFailure' },
      { kind: 'failEntries', nth: 2, code: 'InternalFailure' },
    );
    const kinesis = follow();
    await expect(kinesis.send(new PutRecordsCommand({ StreamName: 'orders', Records }))).rejects.toThrow();
    const answer = await kinesis.send(new PutRecordsCommand({ StreamName: 'orders', Records }));
    expect(answer.FailedRecordCount).toBe(5);
    await kinesis.send(new PutRecordsCommand({ StreamName: 'orders', Records }));
    const tally = tallyOf((await first()).regions[REGION] ?? []);
    expect(tally).toMatchObject({ ok: 15, failed: { server: 15 } });
  });

  it('accuses nobody of a call that its caller gave up', async () => {
    await sink.behave({ kind: 'hang' });
    const kinesis = follow();
    const call = kinesis.send(new PutRecordsCommand({ StreamName: 'orders', Records }), {
      abortSignal: AbortSignal.timeout(30),
    });
    await expect(call).rejects.toThrow();
    await kinesis.send(new PutRecordsCommand({ StreamName: 'orders', Records }));
    expect(tallyOf((await first()).regions[REGION] ?? [])).toMatchObject({ ok: 10, failed: { timeout: 0 } });
  });

  it('tells its problems where other problems are told', async () => {
    standby.refuse = (operation) => (operation === 'PutItem' ? denied : undefined);
    const told: string[] = [];
    const kinesis = follow((problem) => told.push(problem));
    await kinesis.send(new PutRecordsCommand({ StreamName: 'orders', Records }));
    await vi.waitFor(() => expect(told).toEqual([expect.stringMatching(/^beacons: /)]), { timeout: 15_000 });
  });

  it('counts PutRecord as one record', async () => {
    const kinesis = follow();
    // The sink knows only PutRecords, and refuses this as a server would that is broken.
    const one = new PutRecordCommand({ StreamName: 'orders', PartitionKey: 'k', Data: Buffer.from('x') });
    await kinesis.send(one).catch(() => {});
    const tally = tallyOf((await first()).regions[REGION] ?? []);
    const failures = Object.values(tally.failed).reduce((sum, count) => sum + count, 0);
    expect(tally.ok + failures).toBe(1);
  });
});
