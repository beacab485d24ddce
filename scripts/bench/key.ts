import { setTimeout as sleep } from 'node:timers/promises';
import { takeApart } from '../../lib/consumer/index.ts';
import { FailoverProducer, type ProducerOptions } from '../../lib/producer/index.ts';
import type { RememberedRecord } from '../../test/producer/sink/behaviour.ts';
import { type Sink, startSink } from '../../test/producer/sink/sink.ts';
import { credentials } from './contestants.ts';
import type { BenchContext } from './context.ts';
import { median } from './figures.ts';
import { trust } from './trust.ts';

const REGION = 'us-east-1';
const STREAM = 'orders';
const KEY = 'order-00000001';
const SHARDS = 4;
const RECORD_BYTES = 200;
const ROUND_TRIP_MS = 20;
/** Records that the application keeps on their way, each with a `put` of its own. */
const OUTSTANDING = 1_000;
const SEQUENCE_BYTES = 8;

const plans = {
  full: { rounds: 5, roundMs: 2_000, warmUpMs: 1_000 },
  quick: { rounds: 1, roundMs: 300, warmUpMs: 100 },
} as const;

const ways = {
  aggregated: { aggregate: true },
  byKey: { aggregate: { by: 'key' } },
  plain: {},
} as const satisfies Record<string, Pick<ProducerOptions, 'aggregate'>>;
type Way = keyof typeof ways;

interface KeyFigures {
  readonly recordsPerSecond: number;
  /** Slowest and fastest round. */
  readonly spread: readonly [number, number];
  readonly recordsPerKinesisRecord: number;
  /** Median time from `put` to its receipt. */
  readonly ackMs: number;
  /** Records in the stream that come after a later one. */
  readonly reordered: number;
  readonly missing: number;
}

/** How fast one partition key goes, in order, to a stream that is a round trip away. */
export async function bench({ progress, quick }: BenchContext) {
  process.env.SPILLWAY_REGION = REGION;
  const plan = quick ? plans.quick : plans.full;
  const figures: Partial<Record<Way, KeyFigures>> = {};
  const sink = await startSink({ tls: true, shards: SHARDS, answerAfterMs: ROUND_TRIP_MS, remember: 'all' });
  try {
    trust(sink.ca ?? '');
    for (const way of Object.keys(ways) as Way[]) {
      figures[way] = await measured(way, { ...plan, sink });
      progress(`${way}: ${JSON.stringify(figures[way])}`);
    }
  } finally {
    await sink.close();
  }
  const { aggregated, byKey, plain } = figures as Record<Way, KeyFigures>;
  const table = [
    `| one key, ${RECORD_BYTES} B, ${ROUND_TRIP_MS} ms | records/s | slowest to fastest round | records in a Kinesis record | median to the receipt, ms |`,
    '| --- | --: | --: | --: | --: |',
    ...Object.entries({ 'aggregate: true': aggregated, "by: 'key'": byKey, plain }).map(
      ([name, one]) =>
        `| ${name} | ${one.recordsPerSecond} | ${one.spread.join(' to ')} | ${one.recordsPerKinesisRecord} | ${one.ackMs} |`,
    ),
    '',
  ].join('\n');
  return {
    name: 'key',
    recordsPerSecond: aggregated.recordsPerSecond,
    inOrder: aggregated.reordered === 0 && aggregated.missing === 0,
    recordBytes: RECORD_BYTES,
    roundTripMs: ROUND_TRIP_MS,
    aggregated,
    byKey,
    plain,
    rounds: plan.rounds,
    roundMs: plan.roundMs,
    table,
  };
}

async function measured(
  way: Way,
  { rounds, roundMs, warmUpMs, sink }: (typeof plans)['full' | 'quick'] & { readonly sink: Sink },
): Promise<KeyFigures> {
  const before = (await sink.last()).length;
  const producer = new FailoverProducer({
    signal: { name: 'pinned.invalid' },
    regions: [REGION],
    streamName: STREAM,
    endpoint: () => sink.url,
    credentials,
    ...ways[way],
  });
  const load = startLoad(producer);
  const rates: number[] = [];
  try {
    await sleep(warmUpMs);
    for (let round = 0; round < rounds; round++) {
      const began = { delivered: producer.stats().delivered, atMs: performance.now() };
      await sleep(roundMs);
      const seconds = (performance.now() - began.atMs) / 1_000;
      rates.push(Math.round((producer.stats().delivered - began.delivered) / seconds));
    }
    const { acknowledged, ackMs } = await load.stop();
    await producer.close();
    return {
      recordsPerSecond: Math.round(median(rates)),
      spread: [Math.min(...rates), Math.max(...rates)],
      ackMs,
      ...judged((await sink.last()).slice(before), acknowledged),
    };
  } finally {
    await producer.close({ timeoutMs: 0 });
  }
}

/** Numbered records of one key, so many on their way at any time. */
function startLoad(producer: FailoverProducer) {
  let next = 0;
  let acknowledged = 0;
  let isOver = false;
  const tookMs: number[] = [];
  const worker = async (): Promise<void> => {
    while (!isOver) {
      const data = Buffer.alloc(RECORD_BYTES, 'x');
      data.writeBigUInt64BE(BigInt(next++));
      const sinceMs = performance.now();
      await producer.put({ partitionKey: KEY, data });
      tookMs.push(performance.now() - sinceMs);
      acknowledged++;
    }
  };
  const workers = Promise.all(Array.from({ length: OUTSTANDING }, worker));
  return {
    stop: async () => {
      isOver = true;
      await workers;
      return { acknowledged, ackMs: Math.round(median(tookMs) * 10) / 10 };
    },
  };
}

function judged(
  stored: readonly RememberedRecord[],
  acknowledged: number,
): Pick<KeyFigures, 'reordered' | 'missing' | 'recordsPerKinesisRecord'> {
  const seen = new Set<bigint>();
  let latest = -1n;
  let reordered = 0;
  for (const { partitionKey, data } of stored) {
    for (const record of takeApart({ PartitionKey: partitionKey, Data: Buffer.from(data, 'base64') })) {
      if (record.rejection !== undefined || record.probe) throw new Error('a damaged record');
      const number = Buffer.from(record.data.subarray(0, SEQUENCE_BYTES)).readBigUInt64BE();
      if (seen.has(number)) continue;
      seen.add(number);
      if (number < latest) reordered++;
      else latest = number;
    }
  }
  return {
    reordered,
    missing: acknowledged - seen.size,
    recordsPerKinesisRecord: Math.round((seen.size / stored.length) * 10) / 10,
  };
}
