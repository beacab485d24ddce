import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import {
  FailoverProducer,
  type OutgoingBatch,
  RecordFailure,
  type RecordResult,
} from '../../lib/producer/index.ts';
import { drainSpool, SpoolDrainError } from '../../lib/producer/spool/drain.ts';
import { Spool } from '../../lib/producer/spool/spool.ts';

/** What the application puts its records into. `put` resolves when the record is said to be safe. */
export type Put = (record: {
  readonly partitionKey: string;
  readonly data: Buffer;
}) => Promise<'spooled' | 'delivered'>;

export interface TargetOptions {
  readonly directory: string;
  readonly url: string;
}

export type TargetName = 'producer' | 'spool' | 'memory';

const REGION = 'us-east-1';
const STREAM = 'orders';
const TIMEOUT_MS = 150;
const answerSchema = z.object({
  Records: z.array(z.object({ ShardId: z.string().optional(), SequenceNumber: z.string().optional() })),
});

export const targets: Readonly<Record<TargetName, (options: TargetOptions) => Promise<Put>>> = {
  producer: openProducer,
  spool: openSpool,
  /** A liar, to see that the test finds it out. */
  memory: async () => async () => 'spooled',
};

/** The whole producer, impatient, so that a bad phase of the sink drives it to the disk. */
async function openProducer({ directory, url }: TargetOptions): Promise<Put> {
  process.env.SPILLWAY_REGION = REGION;
  const producer = new FailoverProducer({
    signal: { name: 'pinned.invalid' },
    regions: [REGION],
    streamName: STREAM,
    endpoint: () => url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    spool: { directory, afterMs: 60 },
    // Small, so that a busy key or shard has more than its share soon.
    maxBufferedRecords: 500,
    requestTimeoutMs: TIMEOUT_MS,
    retryBaseMs: 5,
    retryMaxMs: 50,
  });
  return async (record) => ((await producer.put(record)).spooled ? 'spooled' : 'delivered');
}

/** The spool alone, emptied as `spillway spool drain` does it. */
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
    // It gives up after some failures in a row, and so would an operator; this one tries again.
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
