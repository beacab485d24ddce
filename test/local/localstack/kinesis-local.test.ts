import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import getPort from 'get-port';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalStackEnvironmentError } from '../../../lib/local/localstack/errors.ts';
import { mendPutRecords, placeKinesisLocal } from '../../../lib/local/localstack/kinesis-local.ts';

const StreamName = 'orders';
const RECORDS = 20;
const READY_TIMEOUT_MS = 30_000;
/** The hash of a stored record, as the compiler named it. */
const RECORD_HASH = 'e.j=function(){return Mi(this,-171008355,!0)}';
const RECORD_HASH_TOLD = 'e.j=function(){process.stdout.write("hashed ");return Mi(this,-171008355,!0)}';

let directory: string;
let server: ChildProcess | undefined;
let output: string;
let kinesis: KinesisClient;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-kinesis-'));
  output = '';
});

afterEach(async () => {
  server?.kill('SIGKILL');
  server = undefined;
  kinesis?.destroy();
  await rm(directory, { recursive: true, force: true });
});

/** Starts what LocalStack would start, with a record's hash that tells when it is asked for. */
async function start(): Promise<void> {
  await placeKinesisLocal(directory);
  const home = join(directory, 'var/lib/localstack/lib/kinesis-local/0.5.2/node_modules/kinesis-local');
  const file = join(home, 'main.js');
  const code = await readFile(file, 'utf8');
  expect(code).toContain(RECORD_HASH);
  await writeFile(file, code.replace(RECORD_HASH, RECORD_HASH_TOLD));
  const [port, tlsPort] = [await getPort({ host: '127.0.0.1' }), await getPort({ host: '127.0.0.1' })];
  server = spawn(process.execPath, [file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      KINESIS_MOCK_PLAIN_PORT: String(port),
      KINESIS_MOCK_TLS_PORT: String(tlsPort),
      KINESIS_MOCK_CERT_PATH: join(home, 'server.json'),
      CREATE_STREAM_DURATION: '0ms',
      LOG_LEVEL: 'ERROR',
    },
  });
  server.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  kinesis = new KinesisClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({}),
  });
  await eventually(() => kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 2 })));
  await eventually(async () => {
    const answer = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }));
    if (answer.StreamDescriptionSummary?.StreamStatus !== 'ACTIVE') throw new Error('not yet active');
  });
}

async function eventually(work: () => Promise<unknown>): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await sleep(100);
    }
  }
}

const putMany = (round: number) =>
  kinesis.send(
    new PutRecordsCommand({
      StreamName,
      Records: Array.from({ length: RECORDS }, (_, n) => ({
        PartitionKey: `key-${n}`,
        Data: new TextEncoder().encode(`${round}-${n}`),
      })),
    }),
  );

async function read(shard: number): Promise<readonly string[]> {
  const { ShardIterator } = await kinesis.send(
    new GetShardIteratorCommand({
      StreamName,
      ShardId: `shardId-00000000000${shard}`,
      ShardIteratorType: 'TRIM_HORIZON',
    }),
  );
  const { Records = [] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
  return Records.map(({ Data }) => new TextDecoder().decode(Data));
}

describe('kinesis-local, mended', () => {
  it('puts a batch without a look at the records that a shard holds already, and keeps all of them in order', async () => {
    await start();
    for (let round = 0; round < 3; round++) {
      const { FailedRecordCount } = await putMany(round);
      expect(FailedRecordCount).toBe(0);
    }
    expect(output).not.toContain('hashed');
    const shards = [await read(0), await read(1)];
    expect(shards.flat()).toHaveLength(3 * RECORDS);
    for (const held of shards) {
      expect(held.length).toBeGreaterThan(0);
      const rounds = held.map((data) => Number(data.split('-')[0]));
      expect(rounds).toEqual(rounds.toSorted((a, b) => a - b));
    }
  });

  it('refuses code that it does not know', () => {
    expect(() => mendPutRecords('another version')).toThrow(LocalStackEnvironmentError);
    const grouping = 'v=B(new C,q.yk,q.xm);else throw new A(q);l.My(v,';
    expect(() => mendPutRecords(`${grouping} ${grouping}`)).toThrow(LocalStackEnvironmentError);
  });
});
