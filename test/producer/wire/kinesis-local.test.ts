import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import getPort from 'get-port';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { existingStream } from '../../../lib/local/drill/account.ts';
import { encodings } from '../../../lib/producer/wire/encodings.ts';
import { fastTransport } from '../../../lib/producer/wire/fast-transport.ts';

const region = 'us-east-1';
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const main = createRequire(import.meta.url).resolve('kinesis-local/main.js');
let emulator: ChildProcess;
let client: KinesisClient;
let endpoint: string;

/** LocalStack's Kinesis, alone. It is written by others, and reads CBOR with a library of its own. */
beforeAll(async () => {
  const [plain, tls] = [await getPort(), await getPort()];
  endpoint = `http://127.0.0.1:${plain}`;
  emulator = spawn(process.execPath, [main], {
    // It looks for its certificate there.
    cwd: dirname(main),
    env: {
      PATH: process.env.PATH,
      KINESIS_MOCK_PLAIN_PORT: `${plain}`,
      KINESIS_MOCK_TLS_PORT: `${tls}`,
      CREATE_STREAM_DURATION: '1ms',
    },
    stdio: 'ignore',
  });
  client = new KinesisClient({ region, endpoint, credentials, requestHandler: new NodeHttpHandler() });
  await vi.waitFor(() => client.send(new CreateStreamCommand({ StreamName: 'orders', ShardCount: 1 })), {
    timeout: 20_000,
    interval: 100,
  });
  const describeStream = new DescribeStreamSummaryCommand({ StreamName: 'orders' });
  await vi.waitFor(async () => {
    const { StreamDescriptionSummary: summary } = await client.send(describeStream);
    if (summary?.StreamStatus !== 'ACTIVE') throw new Error(`The stream is ${summary?.StreamStatus}.`);
  }, 10_000);
}, 40_000);

afterAll(async () => {
  client.destroy();
  const exit = once(emulator, 'exit');
  if (emulator.exitCode === null && emulator.kill('SIGKILL')) await exit;
});

it.each(['cbor', 'json'] as const)(
  'takes what the fast transport sends as %s, byte for byte',
  async (encoding) => {
    const inJson = vi.spyOn(encodings.json, 'write');
    const limits = { maxInFlight: 1, requestTimeoutMs: 5_000 };
    const transport = fastTransport({ endpoint: () => endpoint, credentials, encoding }, limits);
    const send = (stream: string, records: Parameters<typeof transport.send>[0]['records']) =>
      transport.send({ region, stream, records });
    const all = Uint8Array.from({ length: 256 }, (_, n) => n);
    const records = [
      { partitionKey: `${encoding} Schlüssel 🔑`, data: all },
      { partitionKey: 'k'.repeat(256), data: Buffer.alloc(70_000, encoding), explicitHashKey: '1' },
      { partitionKey: 'k', data: new Uint8Array([1]) },
    ];
    const results = await send('orders', records);
    for (const result of results) expect(result).toMatchObject({ region, shardId: 'shardId-000000000000' });
    const [first] = results;
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({
        StreamName: 'orders',
        ShardId: 'shardId-000000000000',
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        StartingSequenceNumber: first !== undefined && 'sequenceNumber' in first ? first.sequenceNumber : '',
      }),
    );
    const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
    expect(
      Records.map(({ PartitionKey, Data }) => ({
        partitionKey: PartitionKey,
        data: Buffer.from(Data ?? []),
      })),
    ).toEqual(records.map(({ partitionKey, data }) => ({ partitionKey, data: Buffer.from(data) })));
    const streamArn = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders';
    const byArn = await transport.send({ region, stream: 'orders', streamArn, records });
    for (const result of byArn) expect(result).toMatchObject({ shardId: 'shardId-000000000000' });
    await expect(send('none', records)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      status: 400,
    });
    // Else it would have been taken in the other encoding.
    expect(inJson.mock.calls.length).toBe(encoding === 'json' ? 3 : 0);
    inJson.mockRestore();
    transport.close();
  },
);

it('takes and gives records of a stream that is encrypted with a key of its owner', async () => {
  const kmsKeyArn = 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-4000-8000-000000000001';
  const sealed = { name: 'sealed', create: false, kmsKeyArn };
  await existingStream({ kinesis: () => client }, region, sealed);
  const { StreamDescriptionSummary: summary } = await client.send(
    new DescribeStreamSummaryCommand({ StreamName: 'sealed' }),
  );
  expect(summary).toMatchObject({ EncryptionType: 'KMS', KeyId: kmsKeyArn, StreamStatus: 'ACTIVE' });
  // A world that is used again has it already.
  await existingStream({ kinesis: () => client }, region, sealed);

  const limits = { maxInFlight: 1, requestTimeoutMs: 5_000 };
  const transport = fastTransport({ endpoint: () => endpoint, credentials, encoding: 'cbor' }, limits);
  const data = new TextEncoder().encode('hello');
  const [sent] = await transport.send({ region, stream: 'sealed', records: [{ partitionKey: 'k', data }] });
  expect(sent).toMatchObject({ shardId: 'shardId-000000000000' });
  transport.close();
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({
      StreamName: 'sealed',
      ShardId: 'shardId-000000000000',
      ShardIteratorType: 'TRIM_HORIZON',
    }),
  );
  const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
  expect(Records).toMatchObject([{ PartitionKey: 'k', EncryptionType: 'KMS' }]);
});
