import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { execa } from 'execa';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { clientPython } from '../../lib/local/clients/python.ts';
import { credentials, type SidecarWorld, startSidecarWorld } from './world.ts';

const here = join(import.meta.dirname, 'python');
const RECORDS = 200;
const FAIL_AT = 40;
/** A part of the time after which records would go to the disk. */
const OUTAGE_MS = 600;
const TIMEOUT_MS = 60_000;
const KEYS = 8;

let python: string;
/** The first run in a clone installs the clients. */
beforeAll(async () => {
  python = await clientPython();
}, 600_000);

let world: SidecarWorld;
afterEach(async () => {
  await world.close();
});

/** A client is told of each record that is written; resolves when it has written all. */
type Client = (written: (text: string) => void) => Promise<void>;

const inPython =
  (name: string): Client =>
  async (written) => {
    const program = execa(python, [join(here, 'write.py'), name, String(RECORDS)], {
      env: {
        PYTHONDONTWRITEBYTECODE: '1',
        AWS_ENDPOINT_URL_KINESIS: world.url,
        AWS_REGION: 'us-east-1',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
      timeout: TIMEOUT_MS,
      buffer: { stdout: false },
    });
    createInterface({ input: program.stdout }).on('line', written);
    await program;
  };

const inJavaScript: Client = async (written) => {
  const client = new KinesisClient({ region: 'us-east-1', endpoint: world.url, credentials });
  for (let n = 0; n < RECORDS; n += 10) {
    let left = Array.from({ length: 10 }, (_, at) => ({
      PartitionKey: `key-${(n + at) % KEYS}`,
      Data: Buffer.from(String(n + at).padStart(6, '0')),
    }));
    while (left.length > 0) {
      const { Records = [] } = await client.send(
        new PutRecordsCommand({ StreamName: 'orders', Records: left }),
      );
      for (const [at, { ErrorCode }] of Records.entries()) {
        if (ErrorCode === undefined) written(String(left[at]?.Data));
      }
      left = left.filter((_, at) => Records[at]?.ErrorCode !== undefined);
    }
    await setTimeout(100);
  }
  client.destroy();
};

const clients: readonly (readonly [name: string, client: Client, keepsOrder: boolean])[] = [
  ['boto3', inPython('boto3'), true],
  ['the AWS SDK for JavaScript', inJavaScript, true],
  // They send requests beside each other.
  ['async-kinesis', inPython('async-kinesis'), false],
  ['aiokpl', inPython('aiokpl'), false],
];

/** Lets the primary fail once it has some records, and moves the signal while clients wait for it. */
async function drill(): Promise<void> {
  await vi.waitFor(() => expect(world.east.records.length).toBeGreaterThanOrEqual(FAIL_AT), {
    timeout: TIMEOUT_MS,
  });
  world.east.mode = 'fail';
  await setTimeout(OUTAGE_MS);
  world.move();
}

/** The numbers of the records in both regions, at their first occurrence, by key. */
function arrived(): ReadonlyMap<string, readonly number[]> {
  const seen = new Set<string>();
  const all = [...world.east.records, ...world.west.records];
  const first = all.filter(({ text }) => !seen.has(text) && seen.add(text));
  const byKey = Map.groupBy(first, ({ partitionKey }) => partitionKey);
  return new Map([...byKey].map(([key, list]) => [key, list.map(({ text }) => Number(text))]));
}

describe('a client of Kinesis that writes through the sidecar', () => {
  it.each(clients)(
    '%s loses nothing while its region fails and the signal moves',
    { timeout: TIMEOUT_MS },
    async (_, client, keepsOrder) => {
      world = await startSidecarWorld({ spool: true });
      const told = new Set<number>();
      await Promise.all([client((text) => told.add(Number(text))), drill()]);
      const byKey = arrived();
      const all = new Set([...byKey.values()].flat());
      expect(told.size).toBe(RECORDS);
      expect([...told].filter((number) => !all.has(number))).toEqual([]);
      expect(world.west.records.length).toBeGreaterThan(0);
      expect(world.west.records.every(({ stream }) => stream === 'orders-west')).toBe(true);
      if (!keepsOrder) return;
      for (const numbers of byKey.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    },
  );
});
