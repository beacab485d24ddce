import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeAggregate } from '../../../lib/aggregate/decode.ts';
import { AggregateEncoder } from '../../../lib/aggregate/encoder.ts';
import type { AggregateRecord } from '../../../lib/aggregate/format.ts';
import { hashKeyOf } from '../../../lib/aggregate/keys.ts';
import type { JavaPrograms } from '../../../lib/local/clients/java.ts';
import { ShardMap } from '../../producer/sink/shards.ts';
import { type Sink, startSink } from '../../producer/sink/sink.ts';
import { ask, INSTALL_TIMEOUT_MS, judgingJava } from './java-judge.ts';

const SHARDS = 4;
const TIMEOUT_MS = 60_000;

let programs: JavaPrograms;
let sink: Sink;
beforeAll(async () => {
  programs = await judgingJava();
  sink = await startSink({ tls: true, shards: SHARDS, remember: 'all' });
}, INSTALL_TIMEOUT_MS);
afterAll(() => sink.close());

interface Put {
  readonly id: string;
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  readonly data: string;
}

const RECORDS = 3_000;
/** Three hundred keys; every seventh record has a hash key of its own, and some have no data to speak of. */
const puts: readonly Put[] = Array.from({ length: RECORDS }, (_, n) => ({
  id: String(n),
  partitionKey: n % 300 === 0 ? 'ключ 鍵 😀' : `key-${n % 300}`,
  ...(n % 7 === 0 && { explicitHashKey: String((2n ** 128n * BigInt(n)) / BigInt(RECORDS)) }),
  data: Buffer.from(`${n}:${'x'.repeat(n % 400)}`).toString('base64'),
}));

function foundIn({ partitionKey, explicitHashKey, data }: AggregateRecord): Put {
  const text = Buffer.from(data).toString();
  return {
    id: text.split(':')[0] ?? '',
    partitionKey,
    ...(explicitHashKey !== undefined && { explicitHashKey }),
    data: Buffer.from(data).toString('base64'),
  };
}

describe('the KPL 1.0.6 with its native daemon', () => {
  it('writes aggregates that we read: each record once, with its keys, in its shard', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { hostname, port } = new URL(sink.url);
    const caFile = join(programs.tempDirectory, 'test-ca.pem');
    await writeFile(caFile, sink.ca ?? '');
    const settings = {
      stream: 'orders',
      region: 'us-east-1',
      host: hostname,
      port: Number(port),
      accessKeyId: 'AKIDTEST',
      secretAccessKey: 'test-secret',
      tempDirectory: programs.tempDirectory,
      caFile,
    };
    const acknowledged = await ask({ programs, main: 'KplWriter', settings }, puts);
    expect(acknowledged).toHaveLength(RECORDS);
    expect(acknowledged.filter((one) => !('sequenceNumber' in (one as object)))).toEqual([]);

    const map = new ShardMap(SHARDS);
    const found: Put[] = [];
    let aggregates = 0;
    for (const { partitionKey, explicitHashKey, data } of await sink.last()) {
      const bytes = Buffer.from(data, 'base64');
      const shard = map.shardOf({ partitionKey, explicitHashKey });
      const records = decodeAggregate(bytes);
      if (records === undefined) {
        // It gives a record that it sends alone the hash key of its partition key.
        const isImplied = explicitHashKey === String(hashKeyOf({ partitionKey }));
        found.push(
          foundIn({
            partitionKey,
            data: bytes,
            ...(explicitHashKey !== undefined && !isImplied && { explicitHashKey }),
          }),
        );
        continue;
      }
      aggregates++;
      for (const record of records) {
        const hashKey = String(hashKeyOf(record));
        expect(map.shardOf({ partitionKey: 'any', explicitHashKey: hashKey })).toBe(shard);
        found.push(foundIn(record));
      }
    }
    expect(aggregates).toBeGreaterThan(SHARDS);
    expect(found.toSorted((a, b) => Number(a.id) - Number(b.id))).toEqual(puts);
  });

  it('writes the very bytes that we write for the same records', async () => {
    const whole = (await sink.last()).map(({ data }) => Buffer.from(data, 'base64'));
    const compared = whole.flatMap((bytes) => {
      const records = decodeAggregate(bytes);
      if (records === undefined) return [];
      const encoder = new AggregateEncoder({ maxBytes: bytes.length });
      for (const record of records) expect(encoder.add(record)).toBe(true);
      return [Buffer.from(encoder.finish()).equals(bytes)];
    });
    expect(compared).not.toEqual([]);
    expect(compared).toEqual(compared.map(() => true));
  });
});
