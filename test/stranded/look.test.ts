import { randomUUID } from 'node:crypto';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { type AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConsumerSpec } from '../../lambda/core/consumers.ts';
import { AggregateEncoder } from '../../lib/aggregate/encoder.ts';
import { clientSettings } from '../../lib/aws/clients.ts';
import { takeApart } from '../../lib/consumer/index.ts';
import { probeRecord } from '../../lib/envelope/probe-record.ts';
import { type LookOptions, lookAtStranded } from '../../lib/stranded/look.ts';
import type { CellQuestion } from '../../lib/stranded/question.ts';
import { isActive, makeStream, putAll, sharedKinesis } from '../drain/fixtures/kinesis.ts';
import { clientFor } from '../drain/fixtures/plain-client.ts';
import { internalFailure, startTap, type Tap } from '../drain/fixtures/tap.ts';
import { type Answer, startFakeRegion } from '../survey/fake-region.ts';

const EAST = 'us-east-1';
const limits = {
  requestTimeoutMs: 2_000,
  readIntervalMs: 0,
  retryBaseMs: 5,
  retryMaxMs: 20,
  recordsPerRead: 7,
};
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let kinesis: KinesisClient;
let tap: Tap;
let stream: string;
let close: () => Promise<void>;
/** What DynamoDB and CloudWatch answer, by operation. */
let answers: Record<string, Answer>;
let options: Omit<LookOptions, 'withinMs'>;

beforeAll(async () => {
  kinesis = clientFor((await sharedKinesis()).url, EAST);
});
beforeEach(async () => {
  stream = `orders-${randomUUID()}`;
  await makeStream(kinesis, stream, 2);
  tap = await startTap((await sharedKinesis()).url);
  answers = { GetMetricData: {} };
  const region = await startFakeRegion(({ operation }) => answers[operation] ?? 'AccessDeniedException');
  const settings = {
    ...clientSettings(EAST, { timeoutMs: 2_000, maxSockets: 4 }),
    ...{ endpoint: region.url, credentials: { accessKeyId: 'x', secretAccessKey: 'y' } },
  };
  const dynamo = new DynamoDBClient(settings);
  const cloudWatch = new CloudWatchClient(settings);
  options = {
    clients: { kinesis: clientFor(tap.url, EAST), dynamo, cloudWatch },
    ...{ nowMs: Date.now, limits, signal: new AbortController().signal },
  };
  close = async () => {
    for (const client of [dynamo, cloudWatch]) client.destroy();
    await Promise.all([tap.close(), region.close()]);
  };
});
afterEach(() => close());

const kcl: ConsumerSpec = { kind: 'kcl', name: { primary: 'app', standby: 'app' }, takes: [] };
const lambda: ConsumerSpec = { kind: 'lambda', name: { primary: 'fn', standby: 'fn' }, takes: [] };

async function look(more: Partial<CellQuestion> = {}, given: Partial<LookOptions> = {}) {
  const question: CellQuestion = {
    ...{
      cell: 'orders',
      place: { region: EAST, stream },
      role: 'primary',
      moved: true,
      drained: null,
      shared: [],
    },
    ...more,
  };
  const [found] = await lookAtStranded([question], { ...options, withinMs: 15_000, ...given });
  if (found === undefined) throw new Error('no look');
  return found;
}

interface Read {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
  readonly arrivedAtMs: number;
  readonly bytes: number;
}

/** Everything in the stream but probes, by a reader of its own. */
async function readerFinds(): Promise<readonly Read[]> {
  const read: Read[] = [];
  const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName: stream }));
  for (const { ShardId = '' } of Shards) {
    const place = { StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
    let { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(place));
    while (ShardIterator !== undefined) {
      const { Records = [], NextShardIterator } = await kinesis.send(
        new GetRecordsCommand({ ShardIterator }),
      );
      for (const record of Records) {
        for (const one of takeApart(record as Parameters<typeof takeApart>[0])) {
          if (one.probe) continue;
          const { sequenceNumber, subSequenceNumber, arrivedAtMs = 0 } = one;
          const bytes = ('data' in one ? one.data : one.bytes)?.byteLength ?? 0;
          read.push({ shardId: ShardId, sequenceNumber, subSequenceNumber, arrivedAtMs, bytes });
        }
      }
      ShardIterator = Records.length === 0 ? undefined : NextShardIterator;
    }
  }
  return read;
}

const bytesOf = (some: readonly Read[]): number => some.reduce((sum, { bytes }) => sum + bytes, 0);

function aggregate(records: readonly (readonly [string, string])[]): Uint8Array {
  const encoder = new AggregateEncoder({ maxBytes: 100_000 });
  for (const [partitionKey, data] of records) encoder.add({ partitionKey, data: Buffer.from(data) });
  return encoder.finish();
}

const some = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => [`k${(from + n) % 9}`, `record ${from + n}`] as const);

/** Records of their own, in aggregates and of observers, and a shard that was split between them. */
async function fill(): Promise<void> {
  const { partitionKey, data } = probeRecord({ observer: 'us-west-2', atMs: 1, place: 3 });
  await putAll(kinesis, stream, [...some(0, 40), ['k1', aggregate(some(40, 45))], [partitionKey, data]]);
  const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName: stream }));
  const ShardToSplit = Shards[0]?.ShardId;
  await kinesis.send(
    new SplitShardCommand({ StreamName: stream, ShardToSplit, NewStartingHashKey: String(2n ** 126n) }),
  );
  await isActive(kinesis, stream);
  await putAll(kinesis, stream, [...some(45, 60), ['k2', aggregate(some(60, 64))], [partitionKey, data]]);
}

const leaseItem = (shardId: string, checkpoint: string, sub = 0): Record<string, AttributeValue> => ({
  leaseKey: { S: shardId },
  leaseCounter: { N: '3' },
  checkpoint: { S: checkpoint },
  checkpointSubSequenceNumber: { N: `${sub}` },
});
const described = {
  Table: {
    KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
  },
};

describe('what is stranded', () => {
  it('of an application of the KCL is what a reader finds after its checkpoints, aggregates taken apart', async () => {
    await fill();
    const all = await readerFinds();
    expect(all).toHaveLength(64);
    const inner = all.filter(({ subSequenceNumber }) => subSequenceNumber === 2).map((one) => ({ ...one }));
    // In the middle of each aggregate, and at the fifth record of a shard without one.
    const places = new Map(inner.map((one) => [one.shardId, one]));
    for (const one of all.filter((_one, n) => n % 5 === 4)) {
      if (!places.has(one.shardId)) places.set(one.shardId, one);
    }
    answers.DescribeTable = described;
    answers.Scan = {
      Items: [...places].map(([shardId, one]) =>
        leaseItem(shardId, one.sequenceNumber, one.subSequenceNumber),
      ),
    };
    const due = all.filter((one) => {
      const place = places.get(one.shardId) ?? { sequenceNumber: '0', subSequenceNumber: 0 };
      const [mine, its] = [BigInt(one.sequenceNumber), BigInt(place.sequenceNumber)];
      return mine > its || (mine === its && one.subSequenceNumber > place.subSequenceNumber);
    });
    expect(due.length).toBeGreaterThan(5);
    expect(due.length).toBeLessThan(50);
    const { cell, known, findings } = await look({ consumers: [kcl] });
    expect({ known, findings }).toEqual({ known: true, findings: [] });
    expect(cell).toMatchObject({ records: due.length, bytes: bytesOf(due), complete: true, damaged: 0 });
    expect(cell.oldestMs).toBe(Math.min(...due.map(({ arrivedAtMs }) => arrivedAtMs)));
    expect(cell.hoursLeft).toBeCloseTo(24, 1);
    const [consumer] = cell.consumers;
    expect(consumer).toMatchObject({ kind: 'kcl', exact: true, from: { by: 'lease', atMs: null } });
    for (const { shardId, records } of consumer?.shards ?? []) {
      expect([shardId, records]).toEqual([shardId, due.filter((one) => one.shardId === shardId).length]);
    }
  });

  it('is everything but probes where nobody says how far anything was read', async () => {
    await fill();
    const { cell, known } = await look();
    expect(cell).toMatchObject({ records: 64, probes: 2, complete: true });
    expect(cell.bytes).toBe(bytesOf(await readerFinds()));
    expect(cell.consumers).toMatchObject([{ kind: 'unknown', exact: false, from: { by: 'retention' } }]);
    expect(known).toBe(true);
  });

  it('is what arrived since the time given, for consumers whose checkpoints nobody sees', async () => {
    await putAll(kinesis, stream, some(0, 10));
    const sinceMs = Date.now() + 1;
    await vi.waitUntil(() => Date.now() > sinceMs, { interval: 1 });
    await putAll(kinesis, stream, some(10, 17));
    const { cell } = await look({ consumers: [lambda] }, { sinceMs });
    expect(cell).toMatchObject({
      records: 7,
      consumers: [{ exact: false, from: { by: 'since', atMs: sinceMs } }],
    });
  });

  it('counts several consumers each by itself, and the slowest for all', async () => {
    await putAll(kinesis, stream, some(0, 20));
    const all = await readerFinds();
    answers.DescribeTable = described;
    const lasts = new Map(all.map((one) => [one.shardId, one]));
    answers.Scan = { Items: [...lasts].map(([id, { sequenceNumber }]) => leaseItem(id, sequenceNumber)) };
    const minuteMs = Math.floor(Date.now() / 60_000) * 60_000;
    const age = { Id: 'age0', Timestamps: [minuteMs / 1_000], Values: [1_200_000] };
    answers.GetMetricData = { MetricDataResults: [age] };
    const { cell } = await look({ consumers: [kcl, lambda], movedAtMs: minuteMs });
    expect(cell.records).toBe(20);
    expect(cell.consumers).toMatchObject([
      { kind: 'kcl', records: 0, oldestMs: null, hoursLeft: null, exact: true },
      {
        kind: 'lambda',
        records: 20,
        exact: false,
        from: { by: 'uncertain age', atMs: minuteMs - 1_200_000 },
      },
    ]);
  });

  it('is counted from before the move where CloudWatch and leases say nothing, and says so', async () => {
    await putAll(kinesis, stream, some(0, 5));
    const movedAtMs = Date.now();
    const { cell, findings, known } = await look({ consumers: [kcl], movedAtMs });
    expect(cell.consumers).toMatchObject([{ records: 5, exact: false, from: { by: 'evacuation' } }]);
    expect(findings.map(({ level, text }) => `${level} ${text}`)).toEqual([
      expect.stringMatching(/^unknown the lease table of KCL application app may not be read .*AccessDenied/),
      expect.stringMatching(/^note nothing shows how far KCL application app had read.*--since/),
      expect.stringMatching(/^note KCL application app may have read fewer/),
    ]);
    expect(known).toBe(false);
  });

  it('may be more than was counted, and then says "at least", by whichever bound', async () => {
    await putAll(kinesis, stream, some(0, 60));
    const { cell, known } = await look({}, { bounds: { records: 10, bytes: 1_000_000 } });
    expect(cell.complete).toBe(false);
    expect(cell.records).toBeGreaterThanOrEqual(10);
    expect(cell.records).toBeLessThan(60);
    expect(known).toBe(false);
    const slow = await look({}, { limits: { ...limits, readIntervalMs: 400 }, withinMs: 700 });
    expect(slow.cell.complete).toBe(false);
    expect(slow.findings[0]?.text).toMatch(/more records than were counted in .*\(time\)/);
  });

  it('is not known while the region fails, and that takes no longer than it is given', async () => {
    await putAll(kinesis, stream, some(0, 5));
    tap.before = ({ operation }) => (operation === 'DescribeStreamSummary' ? internalFailure : 'pass');
    const failing = await look();
    expect(failing).toMatchObject({ known: false, cell: { complete: false, shards: [] } });
    expect(failing.findings).toMatchObject([{ level: 'unknown', text: expect.stringMatching(/recovered/) }]);
    tap.before = ({ operation }) => (operation === 'GetRecords' ? internalFailure : 'pass');
    const unreadable = await look();
    expect(unreadable.findings[0]?.text).toMatch(
      /^shards that could not be read: .*InternalFailure.*recovered$/,
    );
    expect(unreadable.known).toBe(false);
  });

  it('says when the record at which a consumer stands has expired', async () => {
    await putAll(kinesis, stream, some(0, 10));
    const all = await readerFinds();
    answers.DescribeTable = described;
    // A number that the shard has before its first record.
    const shards = new Set(all.map(({ shardId }) => shardId));
    const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName: stream }));
    answers.Scan = {
      Items: Shards.map(({ ShardId = '', SequenceNumberRange }) =>
        leaseItem(ShardId, SequenceNumberRange?.StartingSequenceNumber ?? '0'),
      ),
    };
    const { cell, findings } = await look({ consumers: [kcl] });
    expect(cell.records).toBe(10);
    expect(shards.size).toBe(2);
    expect(findings.map(({ text }) => text)).toEqual([expect.stringMatching(/no longer kept in .*; /)]);
  });
});
