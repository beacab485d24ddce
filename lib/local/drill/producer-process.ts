import { setTimeout as sleep } from 'node:timers/promises';
import { FailoverProducer } from '../../producer/index.ts';
import { type Acknowledgement, SPOOLED } from './events.ts';

/** The settings that the drill gives one producer process, as JSON in its first argument. */
export interface ProducerProcessOptions {
  readonly producer: string;
  /** Prefix of the ids of the producer's records; the ids are the records' data. */
  readonly idPrefix: string;
  readonly signalName: string;
  readonly dnsServer: string;
  readonly regions: readonly string[];
  /** Directory in which the records wait on disk while no region takes them. */
  readonly spoolDirectory: string;
  /** The fault proxy's listener for the region this producer runs in. */
  readonly endpoint: string;
  readonly pollMs: number;
  readonly putEveryMs: number;
  readonly keys: number;
  /** The table in which the producer reports how its writes fare, and its region; absent: it does not. */
  readonly beacons?: { readonly table: string; readonly region: string } | undefined;
}

type Receipt = Omit<Acknowledgement, 'producer'>;

/** What one producer process reports, several times a second. */
export interface ProducerReport {
  readonly acknowledged: readonly Receipt[];
  readonly offered: number;
  readonly rejected: number;
}

const REPORT_EVERY_MS = 200;
const CLOSE_TIMEOUT_MS = 20_000;
/** An application that gets no answers stops offering at some point; far above what a drill needs. */
const MAX_PENDING = 20_000;

const options = JSON.parse(process.argv[2] ?? '{}') as ProducerProcessOptions;
const producer = new FailoverProducer({
  signal: { name: options.signalName, servers: [options.dnsServer], pollMs: options.pollMs },
  regions: options.regions,
  spool: { directory: options.spoolDirectory },
  endpoint: () => options.endpoint,
  ...(options.beacons === undefined
    ? {}
    : { beacons: { ...options.beacons, domain: options.producer, endpoint: options.endpoint } }),
});

let acknowledged: Receipt[] = [];
let offered = 0;
let rejected = 0;
let settled = 0;
let stopping = false;

function report(): void {
  if (!process.connected) return;
  process.send?.({ acknowledged, offered, rejected } satisfies ProducerReport);
  acknowledged = [];
}

async function putOne(sequence: number): Promise<void> {
  const id = `${options.idPrefix}-${sequence}`;
  const putAtMs = Date.now();
  try {
    const receipt = await producer.put({
      partitionKey: `${options.producer}-${sequence % options.keys}`,
      data: id,
    });
    const region = receipt.spooled ? SPOOLED : receipt.region;
    acknowledged.push({ id, region, putAtMs, atMs: Date.now() });
  } catch {
    rejected++;
  } finally {
    settled++;
  }
}

async function offerUntilStopped(): Promise<void> {
  const startedMs = performance.now();
  while (!stopping) {
    const due = Math.floor((performance.now() - startedMs) / options.putEveryMs);
    while (offered < due && offered - settled < MAX_PENDING) void putOne(offered++);
    await sleep(options.putEveryMs);
  }
}

// The channel closes when the parent ends, in whatever way: then there is nobody to produce for.
process.on('disconnect', () => process.exit(0));
process.on('message', (message) => {
  if (message === 'stop') stopping = true;
});
// Ctrl-C reaches the whole process group; the drill decides when its producers end.
process.on('SIGINT', () => {});

const reporting = setInterval(report, REPORT_EVERY_MS);
await offerUntilStopped();
await producer.close({ timeoutMs: CLOSE_TIMEOUT_MS }).catch(() => {});
clearInterval(reporting);
report();
process.disconnect();
