import { setTimeout as sleep } from 'node:timers/promises';
import { prices } from '../../lib/operate/prices.ts';
import { PAYLOAD_UNIT_BYTES } from '../../lib/producer/aggregation/aggregate.ts';
import { FailoverProducer, type ProducerOptions } from '../../lib/producer/index.ts';
import { type Sink, startSink } from '../../test/producer/sink/sink.ts';
import { credentials } from './contestants.ts';
import type { BenchContext } from './context.ts';
import { median } from './figures.ts';
import { trust } from './trust.ts';

const REGION = 'us-east-1';
const KEYS = 10_000;
const RECORD_BYTES = 200;
const SHARDS = 4;
const ROUND_TRIP_MS = 10;
const TICK_MS = 10;
/** Of one process; a stream has as many processes as the application. */
const rates = [10_000, 500] as const;
const SETTLE_MS = 300;

const SHARD_BYTES_A_SECOND = 1_000_000;
const SHARD_RECORDS_A_SECOND = 1_000;
const HOURS_A_MONTH = 720;
const SECONDS_A_MONTH = HOURS_A_MONTH * 3_600;

const ways: Readonly<Record<string, Pick<ProducerOptions, 'aggregate'>>> = {
  plain: {},
  'by key, 100 ms': { aggregate: { by: 'key' } },
  'by shard, 5 ms': { aggregate: { lingerMs: 5 } },
  'by shard, 25 ms': { aggregate: { lingerMs: 25 } },
  'by shard, 100 ms': { aggregate: { lingerMs: 100 } },
  'by shard, 250 ms': { aggregate: { lingerMs: 250 } },
};

interface LingerFigures {
  readonly way: string;
  readonly recordsPerSecond: number;
  readonly recordsPerKinesisRecord: number;
  /** Median time from `put` to the receipt. */
  readonly ackMs: number;
  /** Of a stream that takes 10,000 records a second, from processes like this one. */
  readonly dollarsAMonth: number;
}

/** What waiting for others to share a record of Kinesis costs in time, and saves in money. */
export async function bench({ progress, quick }: BenchContext) {
  process.env.SPILLWAY_REGION = REGION;
  const durationMs = quick ? 300 : 3_000;
  const sink = await startSink({ tls: true, shards: SHARDS, answerAfterMs: ROUND_TRIP_MS, remember: true });
  const results: LingerFigures[] = [];
  try {
    trust(sink.ca ?? '');
    for (const rate of rates) {
      for (const way of Object.keys(ways)) {
        const figures = await measured(way, { rate, durationMs, sink });
        results.push(figures);
        progress(JSON.stringify(figures));
      }
    }
  } finally {
    await sink.close();
  }
  const table = [
    '| records/s of a process | way | records in a Kinesis record | median to the receipt, ms | 10,000 records/s, $ a month |',
    '| --: | --- | --: | --: | --: |',
    ...results.map(
      ({ recordsPerSecond, way, recordsPerKinesisRecord, ackMs, dollarsAMonth }) =>
        `| ${recordsPerSecond} | ${way} | ${recordsPerKinesisRecord} | ${ackMs} | ${dollarsAMonth} |`,
    ),
    '',
  ].join('\n');
  return { name: 'linger', results, keys: KEYS, recordBytes: RECORD_BYTES, shards: SHARDS, table };
}

async function measured(
  way: string,
  { rate, durationMs, sink }: { readonly rate: number; readonly durationMs: number; readonly sink: Sink },
): Promise<LingerFigures> {
  const producer = new FailoverProducer({
    signal: { name: 'pinned.invalid' },
    regions: [REGION],
    streamName: 'orders',
    endpoint: () => sink.url,
    credentials,
    maxBufferedRecords: 100_000,
    ...ways[way],
  });
  try {
    await producer.put({ partitionKey: 'first', data: 'x' });
    await sleep(SETTLE_MS);
    const before = await sink.received();
    const { records, ackMs } = await pacedLoad(producer, { rate, durationMs });
    const after = await sink.received();
    const kinesisRecords = after.records - before.records;
    const bytes = (after.bytes - before.bytes) / kinesisRecords;
    return {
      way,
      recordsPerSecond: rate,
      recordsPerKinesisRecord: Math.round((records / kinesisRecords) * 10) / 10,
      ackMs,
      dollarsAMonth: dollarsAMonth({ perSecond: (10_000 * kinesisRecords) / records, bytes }),
    };
  } finally {
    await producer.close();
  }
}

async function pacedLoad(
  producer: FailoverProducer,
  { rate, durationMs }: { readonly rate: number; readonly durationMs: number },
) {
  const tookMs: number[] = [];
  const puts: Promise<void>[] = [];
  const put = async (n: number): Promise<void> => {
    const sinceMs = performance.now();
    const partitionKey = `order-${String((n * 7_919) % KEYS).padStart(8, '0')}`;
    await producer.put({ partitionKey, data: Buffer.alloc(RECORD_BYTES, 'x') });
    tookMs.push(performance.now() - sinceMs);
  };
  const fromMs = performance.now();
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = performance.now() - fromMs) {
    while (puts.length < (elapsedMs * rate) / 1_000) puts.push(put(puts.length));
    await sleep(TICK_MS);
  }
  await Promise.all(puts);
  return { records: puts.length, ackMs: Math.round(median(tookMs)) };
}

/** For so many Kinesis records a second of so many bytes each. */
function dollarsAMonth({ perSecond, bytes }: { readonly perSecond: number; readonly bytes: number }): number {
  const units = perSecond * Math.ceil(bytes / PAYLOAD_UNIT_BYTES);
  const shards = Math.ceil(
    Math.max(perSecond / SHARD_RECORDS_A_SECOND, (perSecond * bytes) / SHARD_BYTES_A_SECOND),
  );
  const { putMillionUnits, shardHour } = prices;
  return Math.round(((units * SECONDS_A_MONTH) / 1e6) * putMillionUnits + shards * shardHour * HOURS_A_MONTH);
}
