import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { FailoverProducer, type ProducerOptions } from '../../../lib/producer/index.ts';
import { startSignalServer } from '../../../test/producer/signal-server.ts';
import { credentials } from '../contestants.ts';
import { trust } from '../trust.ts';
import type { Batch } from '../workload.ts';
import { type Mode, type OursTask, type Ran, type Run, workload } from './protocol.ts';

const RECORDS_PER_CALL = 500;
/** Each key is in as many batches as any other. */
const BATCHES = 40;
/** Calls that are outstanding: eight requests in flight and four in the buffer; aggregated, as many records as the buffer has. */
const outstanding = { plain: 12, aggregated: 20 } as const satisfies Record<Mode, number>;
const aggregated = { aggregate: { by: 'shard' } } as const;
const TIMEOUT_MS = 10_000;

/** Our contestant in the comparison with the KPL: a process of its own, so that its CPU time and memory are its own. */
const { url, ca, mode } = JSON.parse(process.argv[2] ?? '') as OursTask;
trust(ca);
const dns = await startSignalServer(`v=1; region=${workload.region}; stream=${workload.stream}`);
const options: ProducerOptions = {
  signal: { name: 'signal.orders.example.com', servers: [dns.address] },
  regions: [workload.region, 'us-west-2'],
  endpoint: () => url,
  credentials,
  maxInFlight: workload.connections,
  requestTimeoutMs: TIMEOUT_MS,
  ...(mode === 'aggregated' ? aggregated : {}),
};
const producer = new FailoverProducer(options);
await once(producer, 'regionChanged');
const batches = madeBatches();
let next = 0;

console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await drive(JSON.parse(line) as Run)));
await producer.close();
await dns.close();

async function drive({ runUpMs, windowMs }: Run): Promise<Ran> {
  const fromMs = performance.now() + runUpMs;
  const untilMs = fromMs + windowMs;
  let records = 0;
  let inWindow = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const receipts = await producer.putMany(batches[next++ % batches.length] as Batch);
      records += receipts.length;
      const nowMs = performance.now();
      if (nowMs >= fromMs && nowMs < untilMs) inWindow += receipts.length;
    }
  };
  await Promise.all(Array.from({ length: outstanding[mode] }, worker));
  return { records, inWindow, windowMs };
}

function madeBatches(): readonly Batch[] {
  return Array.from({ length: BATCHES }, (_, batch) =>
    Array.from({ length: RECORDS_PER_CALL }, (_none, n) => ({
      partitionKey: `order-${String((batch * RECORDS_PER_CALL + n) % workload.keys).padStart(8, '0')}`,
      data: randomBytes(workload.recordBytes),
    })),
  );
}
