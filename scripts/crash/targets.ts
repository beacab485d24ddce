import { FailoverProducer } from '../../lib/producer/index.ts';
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
const DRAIN_RECORDS = 100;
const TIMEOUT_MS = 150;

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
    requestTimeoutMs: TIMEOUT_MS,
    retryBaseMs: 5,
    retryMaxMs: 50,
  });
  return async (record) => ((await producer.put(record)).spooled ? 'spooled' : 'delivered');
}

/** The spool alone, with the simplest loop that empties it. */
async function openSpool({ directory, url }: TargetOptions): Promise<Put> {
  const spool = await Spool.open({ directory, segmentBytes: 64 * 1024, maxBytes: 256 * 1024 * 1024 });
  void drainForEver(spool, url);
  return async (record) => {
    await spool.append([record]);
    return 'spooled';
  };
}

async function drainForEver(spool: Spool, url: string): Promise<never> {
  for (;;) {
    const records = await spool.read({ records: DRAIN_RECORDS, bytes: 1024 * 1024 });
    const last = records.at(-1);
    const body = JSON.stringify({
      Records: records.map(({ partitionKey, data }) => ({
        PartitionKey: partitionKey,
        Data: Buffer.from(data).toString('base64'),
      })),
    });
    if (last === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    else if (await isTaken(url, body)) await spool.acknowledge(last.position);
    else spool.rewind();
  }
}

/** All of it: whatever else happened, the same records are sent again, in the same order. */
async function isTaken(url: string, body: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const answer = (await response.json()) as { FailedRecordCount?: number };
    return answer.FailedRecordCount === 0;
  } catch {
    return false;
  }
}
