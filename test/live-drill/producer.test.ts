import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { beforeAll, expect, test, vi } from 'vitest';
import { startDrillProducer } from '../../lib/live-drill/producer.ts';
import { readIds } from '../../lib/live-drill/read-stream.ts';
import { drillTargetOf } from '../../lib/live-drill/target.ts';
import { type KinesisServer, makeStream, sharedKinesis } from '../drain/fixtures/kinesis.ts';
import { clientFor } from '../drain/fixtures/plain-client.ts';
import { config } from '../operate/fixtures/readings.ts';
import { startSignalServer } from '../producer/signal-server.ts';

const STREAM = 'drill';
const target = {
  ...drillTargetOf({ ...config, drill: { cell: 'orders', schedule: 'off' } }),
  producerPollMs: 100,
};

let kinesis: KinesisServer;
beforeAll(async () => {
  kinesis = await sharedKinesis();
}, 20_000);

test('the producer follows the signal, and every put that it counts is read back from one of the streams', async () => {
  const [east, west] = ['us-east-1', 'us-west-2'].map((region) => clientFor(kinesis.url, region));
  if (east === undefined || west === undefined) throw new Error('no clients');
  await Promise.all([makeStream(east, STREAM, 2), makeStream(west, STREAM)]);
  const sinceMs = Date.now() - 60_000;
  const others = [{ PartitionKey: 'k', Data: Buffer.from('somebody else') }];
  await east.send(new PutRecordsCommand({ StreamName: STREAM, Records: others }));
  const signal = await startSignalServer(`v=1; region=us-east-1; stream=${STREAM}`);
  const producer = startDrillProducer({
    target,
    idPrefix: 'drill-x-',
    dnsServers: [signal.address],
    connection: {
      endpoint: () => kinesis.url,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    },
  });
  const landed = (region: string): number =>
    producer.acknowledged.filter((put) => put.region === region).length;
  await vi.waitUntil(() => landed('us-east-1') >= 5, { timeout: 10_000 });
  signal.answer = `v=1; region=us-west-2; stream=${STREAM}`;
  await vi.waitUntil(() => landed('us-west-2') >= 3, { timeout: 10_000 });
  await producer.stop();
  await signal.close();

  const read = (client: typeof east, prefix: string) =>
    readIds({ client, streamName: STREAM, sinceMs, prefix });
  const found = [...(await read(east, 'drill-x-')), ...(await read(west, 'drill-x-'))];
  expect(found.toSorted()).toEqual(producer.acknowledged.map(({ id }) => id).toSorted());
  expect(await read(west, 'drill-x-')).toHaveLength(landed('us-west-2'));
  expect(await read(east, 'drill-of-another-')).toEqual([]);
  const later = { client: east, streamName: STREAM, sinceMs: Date.now(), prefix: 'drill-x-' };
  expect(await readIds(later)).toEqual([]);
}, 30_000);
