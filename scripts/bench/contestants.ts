import { once } from 'node:events';
import { Agent } from 'node:https';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { FailoverProducer, type ProducerOptions, RecordFailure } from '../../lib/producer/index.ts';
import { fastTransport } from '../../lib/producer/wire/fast-transport.ts';
import { startFakeStandby } from '../../test/producer/beacons/fake-standby.ts';
import { startSignalServer } from '../../test/producer/signal-server.ts';
import { rawSender } from './raw.ts';
import type { Batch } from './workload.ts';

export interface Contestant {
  /** Batches that the caller keeps outstanding. */
  readonly outstanding: number;
  /** Resolves when every record of the batch is acknowledged; throws when one is not. */
  send(batch: Batch): Promise<void>;
  close(): Promise<void>;
}

export interface Setting {
  readonly url: string;
  /** Records that one request may hold. */
  readonly maxBatchRecords: number;
}

/** Requests in flight at the same time, the same for all. */
export const IN_FLIGHT = 8;
const REGION = 'us-east-1';
const STREAM = 'orders';
const TIMEOUT_MS = 10_000;
export const credentials = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'bench-secret' };

/** The contestants, in the order of a round. */
export const contestants = {
  /** The SDK's client as `new KinesisClient({ region })` makes it, except for address and credentials. */
  sdkDefault: ({ url }) => sdkContestant(new KinesisClient({ region: REGION, endpoint: url, credentials })),
  /** The SDK's client, tuned as far as configuration alone can. */
  sdkTuned: ({ url }) =>
    sdkContestant(
      new KinesisClient({
        region: REGION,
        endpoint: url,
        credentials,
        requestHandler: new NodeHttpHandler({
          httpsAgent: new Agent({ keepAlive: true, maxSockets: IN_FLIGHT }),
          connectionTimeout: TIMEOUT_MS,
          requestTimeout: TIMEOUT_MS,
          throwOnRequestTimeout: true,
        }),
      }),
    ),
  spillwaySdk: (setting) => producerContestant('sdk', setting),
  spillway: (setting) => producerContestant('fast', setting),
  /** Spillway in the encoding of the others, so that the remaining difference is not due to CBOR. */
  spillwayJson: (setting) => producerContestant('fast', { ...setting, encoding: 'json' }),
  /** The upper limit: no queue, no keys, no failover. */
  raw: async ({ url }) => {
    const sender = rawSender({ url, region: REGION, stream: STREAM, connections: IN_FLIGHT, credentials });
    return { outstanding: IN_FLIGHT, ...sender };
  },
  /** Spillway's transport without the producer: the difference to `spillway` is the producer's own cost. */
  wire: async ({ url }) => {
    const limits = { maxInFlight: IN_FLIGHT, requestTimeoutMs: TIMEOUT_MS };
    const transport = fastTransport({ endpoint: () => url, credentials }, limits);
    return {
      outstanding: IN_FLIGHT,
      send: async (records) => {
        const results = await transport.send({ region: REGION, stream: STREAM, records });
        if (results.some((result) => result instanceof RecordFailure)) throw new Error('a record failed');
      },
      close: async () => transport.close(),
    };
  },
} as const satisfies Record<string, (setting: Setting) => Promise<Contestant>>;

export type ContestantName = keyof typeof contestants;
export const contestantNames = Object.keys(contestants) as readonly ContestantName[];

async function sdkContestant(client: KinesisClient): Promise<Contestant> {
  return {
    outstanding: IN_FLIGHT,
    send: async (batch) => {
      const Records = batch.map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: data }));
      const answer = await client.send(new PutRecordsCommand({ StreamName: STREAM, Records }));
      if (answer.FailedRecordCount !== 0 || answer.Records?.length !== batch.length) {
        throw new Error('a record failed');
      }
    },
    close: async () => client.destroy(),
  };
}

/** Spillway with its reports on, to a table on loopback: the difference to `spillway` is what the reports cost. */
export async function beaconContestant(setting: Setting): Promise<Contestant> {
  const standby = await startFakeStandby(credentials);
  const beacons = { table: 'bench-beacons', region: 'us-west-2', endpoint: standby.url };
  const contestant = await producerContestant('fast', { ...setting, beacons });
  return {
    ...contestant,
    close: async () => {
      await contestant.close();
      await standby.close();
    },
  };
}

/** Spillway's producer, with order per key and failover on: it follows a signal from a real DNS server. */
async function producerContestant(
  transport: 'fast' | 'sdk',
  {
    url,
    maxBatchRecords,
    encoding = 'cbor',
    beacons,
  }: Setting & Pick<ProducerOptions, 'encoding' | 'beacons'>,
): Promise<Contestant> {
  const dns = await startSignalServer(`v=1; region=${REGION}; stream=${STREAM}`);
  const producer = new FailoverProducer({
    signal: { name: 'signal.orders.example.com', servers: [dns.address] },
    regions: [REGION, 'us-west-2'],
    endpoint: () => url,
    credentials,
    transport,
    encoding,
    maxInFlight: IN_FLIGHT,
    maxBatchRecords,
    ...(beacons === undefined ? {} : { beacons }),
    requestTimeoutMs: TIMEOUT_MS,
  });
  await once(producer, 'regionChanged');
  return {
    // Some batches wait in its buffer, so that the producer is never short of work when several answers come
    // together.
    outstanding: IN_FLIGHT + 4,
    send: async (batch) => {
      const receipts = await producer.putMany(batch);
      if (receipts.length !== batch.length) throw new Error('a receipt is missing');
    },
    close: async () => {
      await producer.close();
      await dns.close();
    },
  };
}
