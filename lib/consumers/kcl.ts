import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import pMap from 'p-map';
import type { KclFacts, LeaseFacts } from '../../lambda/core/consumer-facts.ts';
import type { Asker } from './asker.ts';
import type { Lease } from './lease-item.ts';
import { type LeaseTableReading, leasesOf, readLeaseTable } from './leases.ts';
import { readBehind, type StreamQuestion, type Waiting } from './positions.ts';

export interface KclQuestion {
  readonly dynamo: Pick<DynamoDBClient, 'send'>;
  readonly table: string;
  /** Name of the cell's stream in this region. */
  readonly name: string;
  /** Absent: what lies behind the checkpoints is not looked up. */
  readonly kinesis?: StreamQuestion;
  readonly nowMs: () => number;
  /** Waits between the looks at the leases. Default: 4, 8 and 20 s. Empty: one look, at the table alone. */
  readonly looksMs?: readonly number[];
}

/**
 * A worker renews its leases every third part of `failoverTimeMillis`, whose default is 10 s, in KCL 3 30 s; some have 60 s.
 * What is not renewed within all these waits is held by nobody. The looks end as soon as all leases were renewed.
 */
const LOOKS_MS = [4_000, 8_000, 20_000] as const;
/** Records that are younger may be waiting for a checkpoint. */
const FRESH_MS = 60_000;
/** A lease may have been made anew after a drill: what is older than this may be older than the lease. */
const SINCE_MS = 3_600_000;
/** Leases whose checkpoint is looked up in the stream, of one table. */
const MOST_LEASES = 16;
const PARALLEL = 4;
/** A thousand tables are looked at twice. */
const SCANS_TIMES_THE_RATE = 5;
const TABLE_TIMEOUT_MS = 20_000;

/** An application of the KCL in one region, by its lease table. */
export async function readKcl(asker: Asker, question: KclQuestion): Promise<KclFacts> {
  const table = await read(asker, question);
  if (table === undefined) return { kind: 'kcl' };
  if (table.state === 'missing') return { kind: 'kcl', table: 'missing' };
  if (table.state === 'foreign') return { kind: 'kcl', table: 'foreign', foreign: table.why };
  const first = openLeases(table.leases, question.name);
  const others = table.leases.flatMap(({ stream }) =>
    stream === undefined || stream.name === question.name ? [] : stream.name,
  );
  const none = {
    ...{ open: first.length, owned: ownedOf(first), otherStreams: [...new Set(others)] },
    ...{ strange: 0, atTrimHorizon: 0 },
  };
  // Half a table says nothing of the other half.
  if (!table.complete) return { kind: 'kcl', table: 'there' };
  if (first.length === 0) return { kind: 'kcl', table: 'there', leases: { ...none, renewed: 0 } };
  if (question.looksMs?.length === 0) return { kind: 'kcl', table: 'there', leases: none };
  const { leases, idle } = await watch(asker, question, first);
  const renewed = idle === undefined ? undefined : leases.length - idle.length;
  // Where some are renewed the application runs, and the others are on their way to another worker.
  const isHeld = renewed !== undefined && renewed > 0;
  const held = leases.filter((lease) => idle?.includes(lease) === false);
  const [looked, never] = await Promise.all([
    lookUp(asker, question, leases),
    neverCheckpointed(asker, question, { held, createdAtMs: table.createdAtMs }),
  ]);
  const { lagMs, ...found } = looked;
  return {
    kind: 'kcl',
    table: 'there',
    ...(isHeld && lagMs !== undefined && { lagMs }),
    leases: {
      ...none,
      ...{ open: leases.length, owned: ownedOf(leases) },
      ...(renewed !== undefined && { renewed }),
      // The few looks of somebody who has no time are too short for a long `failoverTimeMillis`.
      ...(question.kinesis !== undefined && { watchedLong: true }),
      atTrimHorizon: leases.filter(({ checkpoint }) => checkpoint.kind === 'TRIM_HORIZON').length,
      ...found,
      ...never,
    },
  };
}

type Known = Extract<LeaseTableReading, { state: 'leases' | 'missing' | 'foreign' }>;

async function read(asker: Asker, { dynamo, table }: KclQuestion): Promise<Known | undefined> {
  const answer = await asker.ask({
    service: 'DynamoDB',
    action: 'dynamodb:Scan',
    timeoutMs: TABLE_TIMEOUT_MS,
    timesTheRate: SCANS_TIMES_THE_RATE,
    ask: async (signal): Promise<Known> => {
      const reading = await readLeaseTable({ client: dynamo, table, signal });
      switch (reading.state) {
        case 'refused':
          throw Object.assign(new Error(reading.why), { name: 'AccessDeniedException' });
        case 'unanswered':
          throw new Error(reading.why);
        default:
          return reading;
      }
    },
  });
  return answer === undefined || answer === 'missing' ? undefined : answer.value;
}

/** Leases of shards of the stream that are not read to their end. */
const openLeases = (leases: readonly Lease[], stream: string): readonly Lease[] =>
  leasesOf(leases, stream).filter(({ checkpoint }) => checkpoint.kind !== 'SHARD_END');

const ownedOf = (leases: readonly Lease[]): number =>
  leases.filter(({ owner }) => owner !== undefined).length;

interface Watched {
  readonly leases: readonly Lease[];
  /** Those that nobody renews; undefined: they could not be looked at twice. */
  readonly idle?: readonly Lease[];
}

/** Looks again until all leases were renewed, or the time is over. */
async function watch(asker: Asker, question: KclQuestion, first: readonly Lease[]): Promise<Watched> {
  const { looksMs = LOOKS_MS, name } = question;
  const counters = new Map(first.map(({ leaseKey, counter }) => [leaseKey, counter]));
  let leases = first;
  // Without owners there is nobody who would renew.
  if (first.every(({ owner }) => owner === undefined)) return { leases, idle: leases };
  let idle: readonly Lease[] | undefined;
  for (const waitMs of looksMs) {
    if (!(await asker.wait(waitMs))) return { leases };
    const again = await read(asker, question);
    if (again?.state !== 'leases' || !again.complete) return { leases };
    leases = openLeases(again.leases, name);
    idle = leases.filter(({ leaseKey, counter }) => counters.get(leaseKey) === counter);
    if (idle.length === 0) break;
  }
  return { leases, ...(idle !== undefined && { idle }) };
}

type LookedUp = Pick<LeaseFacts, 'strange' | 'behind' | 'behindMs' | 'staleKeys'> & {
  readonly lagMs?: number;
};

/** What lies behind the checkpoints of some leases. */
async function lookUp(
  asker: Asker,
  { kinesis, nowMs }: KclQuestion,
  leases: readonly Lease[],
): Promise<LookedUp> {
  if (kinesis === undefined) return { strange: 0 };
  const some = leases
    .filter(({ checkpoint: { kind } }) => kind === 'record' || kind === 'TRIM_HORIZON')
    .slice(0, MOST_LEASES);
  const looked = await pMap(
    some,
    async ({ leaseKey, shardId, checkpoint }) => {
      const from = checkpoint.kind === 'record' ? { sequenceNumber: checkpoint.sequenceNumber } : {};
      const waiting = await readBehind(asker, { ...kinesis, shardId, ...from });
      return { leaseKey, isRecord: checkpoint.kind === 'record', waiting };
    },
    { concurrency: PARALLEL },
  );
  if (looked.some(({ waiting }) => waiting === undefined)) return { strange: 0 };
  const all = looked.map(({ waiting }) => waiting as Waiting);
  const gone = all.filter((one) => one === 'gone').length;
  const waiting = looked.filter(({ waiting: one }) => typeof one === 'object' && one.waits);
  const since = waiting.flatMap(({ waiting: one }) => (typeof one === 'object' ? (one.sinceMs ?? []) : []));
  const stale = looked.filter(
    ({ isRecord, waiting: one }) => isRecord && (typeof one === 'string' || one?.waits === true),
  );
  const ageMs = since.length === 0 ? undefined : Math.max(0, nowMs() - Math.min(...since));
  return {
    // Shards that were split or merged long ago are gone from their own stream, too; all of them are not.
    strange: all.filter((one) => one === 'strange').length + (gone === all.length ? gone : 0),
    behind: waiting.filter(({ isRecord }) => isRecord).length,
    ...(ageMs !== undefined && { behindMs: ageMs }),
    ...(stale.length > 0 && { staleKeys: stale.map(({ leaseKey }) => leaseKey) }),
    ...(all.length > 0 && { lagMs: ageMs ?? 0 }),
  };
}

/**
 * Leases that a worker holds and has never checkpointed. Records that are older than the table are older than the
 * application, which has begun after them.
 */
async function neverCheckpointed(
  asker: Asker,
  { kinesis, nowMs }: KclQuestion,
  { held, createdAtMs }: { readonly held: readonly Lease[]; readonly createdAtMs: number | undefined },
): Promise<Pick<LeaseFacts, 'atLatest' | 'unread'>> {
  const atLatest = held.filter(({ checkpoint }) => checkpoint.kind === 'LATEST').length;
  const never = held.filter(({ checkpoint: { kind } }) => kind === 'LATEST' || kind === 'AT_TIMESTAMP');
  if (kinesis === undefined || never.length === 0) return { atLatest };
  const sinceMs = Math.max(createdAtMs ?? 0, nowMs() - SINCE_MS);
  const looked = await pMap(
    never.slice(0, MOST_LEASES),
    ({ shardId }) => readBehind(asker, { ...kinesis, shardId, sinceMs }),
    { concurrency: PARALLEL },
  );
  const unread = looked.filter(
    (one) => typeof one === 'object' && one.sinceMs !== undefined && nowMs() - one.sinceMs > FRESH_MS,
  );
  return { atLatest, unread: unread.length };
}
