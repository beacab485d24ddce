import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FailoverProducer, type OutgoingBatch, type RecordResult } from '../../lib/producer/index.ts';
import type { BenchContext } from './context.ts';

const KEYS = 10_000_000;
const QUICK_KEYS = 1_000_000;
/**
 * The share of keys after which the memory of envelopes, which holds the last 100,000 to 200,000 keys, is as
 * full as it gets.
 */
const EARLY = 0.4;
const BATCH = 500;
const OUTSTANDING = 16;
const REGION = 'us-east-1';
const MIB = 1024 * 1024;

export interface KeysFigures {
  readonly keys: number;
  readonly keysPerSecond: number;
  /** Live heap when two fifths of the keys have been put, and when all have been put. */
  readonly heapMiB: readonly [number, number];
  readonly rssMiB: number;
}

/** Puts one record for each of many keys through a whole producer, and measures what the producer keeps. */
export async function manyKeys({
  keys,
  envelope,
}: {
  readonly keys: number;
  readonly envelope: boolean;
}): Promise<KeysFigures> {
  const producer = new FailoverProducer(
    { signal: { name: 'pinned.invalid' }, regions: [REGION], streamName: 'orders', envelope },
    { transport: memoryTransport() },
  );
  const collect = collector();
  const data = Buffer.alloc(16);
  let next = 0;
  const putUntil = async (end: number): Promise<number> => {
    const worker = async (): Promise<void> => {
      while (next < end) {
        const from = next;
        next += BATCH;
        await producer.putMany(
          Array.from({ length: BATCH }, (_, n) => ({ partitionKey: `customer-${from + n}`, data })),
        );
      }
    };
    await Promise.all(Array.from({ length: OUTSTANDING }, worker));
    collect();
    return process.memoryUsage().heapUsed / MIB;
  };
  const startMs = performance.now();
  const early = await putUntil(keys * EARLY);
  const late = await putUntil(keys);
  const elapsedMs = performance.now() - startMs;
  const { delivered } = producer.stats();
  await producer.close();
  return {
    keys: delivered,
    keysPerSecond: Math.round((delivered / elapsedMs) * 1000),
    heapMiB: [Math.round(early * 10) / 10, Math.round(late * 10) / 10],
    rssMiB: Math.round(process.memoryUsage().rss / MIB),
  };
}

export async function bench({ progress, quick }: BenchContext) {
  process.env.SPILLWAY_REGION = REGION;
  const keys = quick ? QUICK_KEYS : KEYS;
  const plain = await manyKeys({ keys, envelope: false });
  progress(`plain: ${JSON.stringify(plain)}`);
  const enveloped = await manyKeys({ keys, envelope: true });
  progress(`with envelopes: ${JSON.stringify(enveloped)}`);
  const row = (name: string, { keysPerSecond, heapMiB, rssMiB }: KeysFigures): string =>
    `| ${name} | ${keysPerSecond.toLocaleString('en-US')} | ${heapMiB.join(' to ')} | ${rssMiB} |`;
  const table = [
    `| ${keys.toLocaleString('en-US')} keys | keys/s | heap after two fifths and at the end, MiB | RSS, MiB |`,
    '| --- | --: | --: | --: |',
    row('plain', plain),
    row('with envelopes', enveloped),
    '',
  ].join('\n');
  return { name: 'keys', plain, enveloped, table };
}

/** A transport that takes every record, after a turn of the event loop. */
function memoryTransport() {
  return {
    send: async ({ region, records }: OutgoingBatch): Promise<readonly RecordResult[]> => {
      await new Promise((resolve) => setImmediate(resolve));
      return records.map(() => ({ region, shardId: 'shardId-000000000000', sequenceNumber: '1' }));
    },
    close: () => {},
  };
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
