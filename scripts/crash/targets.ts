import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import {
  FailoverProducer,
  type OutgoingBatch,
  type ProducerOptions,
  RecordFailure,
  type RecordResult,
} from '../../lib/producer/index.ts';
import { drainSpool, SpoolDrainError } from '../../lib/producer/spool/drain.ts';
import { Spool } from '../../lib/producer/spool/spool.ts';

/** Puts a record into the target, and resolves when the target says that the record is safe. */
export type Put = (record: {
  readonly partitionKey: string;
  readonly data: Buffer;
}) => Promise<'spooled' | 'delivered'>;

export interface TargetOptions {
  readonly directory: string;
  readonly url: string;
}

export type TargetName = 'producer' | 'aggregates' | 'spool' | 'memory' | 'sidecar' | 'drain';
/** What runs in the application itself. */
type InnerTarget = Exclude<TargetName, 'sidecar' | 'drain'>;

const REGION = 'us-east-1';
const STREAM = 'orders';
const TIMEOUT_MS = 150;
const answerSchema = z.object({
  Records: z.array(z.object({ ShardId: z.string().optional(), SequenceNumber: z.string().optional() })),
});

export const targets: Readonly<Record<InnerTarget, (options: TargetOptions) => Promise<Put>>> = {
  producer: openProducer,
  aggregates: (options) => openProducer({ ...options, aggregate: { lingerMs: 20 } }),
  spool: openSpool,
  /** A target that lies, to see that the test notices. */
  memory: async () => async () => 'spooled',
};

/** Options of a producer with short time-outs, so that it writes to the disk in a bad phase of the sink. */
export function tightProducer({ directory, url }: TargetOptions) {
  process.env.SPILLWAY_REGION = REGION;
  return {
    signal: { name: 'pinned.invalid' },
    regions: [REGION],
    streamName: STREAM,
    endpoint: () => url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    spool: { directory, afterMs: 60 },
    // Small, so that a busy key or shard soon has more than its share.
    maxBufferedRecords: 500,
    requestTimeoutMs: TIMEOUT_MS,
    retryBaseMs: 5,
    retryMaxMs: 50,
  } satisfies ProducerOptions;
}

/** Opens the whole producer. */
async function openProducer({
  aggregate = false,
  ...options
}: TargetOptions & Pick<ProducerOptions, 'aggregate'>): Promise<Put> {
  const producer = new FailoverProducer({ ...tightProducer(options), aggregate });
  return async (record) => ((await producer.put(record)).spooled ? 'spooled' : 'delivered');
}

/** Opens the spool alone, emptied as by `spillway spool drain`. */
async function openSpool({ directory, url }: TargetOptions): Promise<Put> {
  const spool = await Spool.open({ directory, segmentBytes: 64 * 1024, maxBytes: 256 * 1024 * 1024 });
  void drainForEver(spool, url);
  return async (record) => {
    await spool.append([record]);
    return 'spooled';
  };
}

async function drainForEver(spool: Spool, url: string): Promise<never> {
  const transport = { send: (batch: OutgoingBatch) => send(url, batch), close: () => {} };
  for (;;) {
    const drained = drainSpool({
      spool,
      transport,
      region: REGION,
      stream: STREAM,
      retryBaseMs: 5,
      retryMaxMs: 50,
    });
    // A drain gives up after some failures in a row; here it is tried again, as an operator would.
    await drained.catch((error: unknown) => {
      if (!(error instanceof SpoolDrainError)) throw error;
    });
    await sleep(5);
  }
}

async function send(url: string, { records }: OutgoingBatch): Promise<readonly RecordResult[]> {
  const Records = records.map(({ partitionKey, data }) => ({
    PartitionKey: partitionKey,
    Data: Buffer.from(data).toString('base64'),
  }));
  const body = JSON.stringify({ StreamName: STREAM, Records });
  const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const answer = answerSchema.parse(await response.json());
  return answer.Records.map(({ ShardId, SequenceNumber }) =>
    ShardId === undefined || SequenceNumber === undefined
      ? new RecordFailure('InternalFailure', 'refused by the sink')
      : { region: REGION, shardId: ShardId, sequenceNumber: SequenceNumber },
  );
}
