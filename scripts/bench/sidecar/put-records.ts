import { randomBytes } from 'node:crypto';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';

/**
 * Puts batches of 100 records with the AWS SDK for some seconds, and prints how long a call takes and how many records fit into a
 * second. The same as put-records.py.
 */
const [url = '', seconds = 0, workers = 1] = [
  process.argv[2],
  Number(process.argv[3]),
  Number(process.argv[4]),
];
const client = new KinesisClient({ region: 'us-east-1', endpoint: url, maxAttempts: 1 });
const batches = Array.from({ length: 64 }, (_, batch) =>
  Array.from({ length: 100 }, (_, n) => ({ PartitionKey: `order-${batch}-${n}`, Data: randomBytes(200) })),
);

async function work(worker: number, untilMs: number, into: number[]): Promise<void> {
  for (let n = worker; performance.now() < untilMs; n += workers) {
    const startMs = performance.now();
    const Records = batches[n % batches.length] ?? [];
    const { FailedRecordCount } = await client.send(new PutRecordsCommand({ StreamName: 'orders', Records }));
    if (FailedRecordCount !== 0) throw new Error('a record failed');
    into.push(performance.now() - startMs);
  }
}

await work(0, performance.now() + (seconds * 1_000) / 4, []);
const took: number[] = [];
const startMs = performance.now();
await Promise.all(
  Array.from({ length: workers }, (_, worker) => work(worker, startMs + seconds * 1_000, took)),
);
const elapsedMs = performance.now() - startMs;
took.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    p50Ms: took[took.length >> 1],
    p99Ms: took[Math.floor(took.length * 0.99)],
    recordsPerSecond: (took.length * 100 * 1_000) / elapsedMs,
  }),
);
client.destroy();
