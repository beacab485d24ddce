import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { KinesisClient, Shard } from '@aws-sdk/client-kinesis';
import pMap from 'p-map';
import { parseStreamArn } from '../../lambda/core/stream-arn.ts';
import { type Ages, readAges } from '../consumers/iterator-age.ts';
import { type LeaseTableReading, readLeaseTable } from '../consumers/leases.ts';
import { type DrainLimits, defaultLimits } from '../drain/limits.ts';
import { DrainStream, type StreamFacts } from '../drain/stream.ts';
import { countShard, type ShardBounds } from './count-shard.ts';
import type { StrandedFinding } from './document.ts';
import { ageSourceOf, consumerName, type FoundPlace, placeOf } from './places.ts';
import { type ConsumerName, placeSources } from './positions.ts';
import type { CellQuestion, Look, ShardResult } from './question.ts';
import { cellOf, failedCell } from './summary.ts';

/** Clients of the region of the old streams. */
export interface LookClients {
  readonly kinesis: KinesisClient;
  readonly dynamo: Pick<DynamoDBClient, 'send'>;
  readonly cloudWatch: Pick<CloudWatchClient, 'send'>;
}

export interface LookOptions {
  readonly clients: LookClients;
  readonly nowMs: () => number;
  readonly sinceMs?: number;
  /** After this, what was counted is the result. */
  readonly withinMs: number;
  readonly bounds?: ShardBounds;
  readonly limits?: Partial<DrainLimits>;
  readonly signal: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

/** A region that fails is given up soon; the limits of reading are those that consumers can live with. */
const lookLimits: DrainLimits = {
  ...defaultLimits,
  requestTimeoutMs: 5_000,
  retryMaxMs: 1_000,
  maxAttempts: 4,
  recordsPerRead: 10_000,
};
/** Of a shard, and of a consumer's pass through it. */
export const defaultBounds: ShardBounds = { records: 2_000_000, bytes: 1024 ** 3 };
const CELLS_AT_ONCE = 4;
const MINUTE_MS = 60_000;
/** How long ago a consumer may have stopped and still be found in CloudWatch. */
const AGE_MINUTES = 3 * 24 * 60;

/** Counts what is stranded in the old streams of cells. Never throws but for an interruption by `signal`. */
export async function lookAtStranded(
  cells: readonly CellQuestion[],
  options: LookOptions,
): Promise<readonly Look[]> {
  const deadline = AbortSignal.any([options.signal, AbortSignal.timeout(options.withinMs)]);
  const looks = await pMap(cells, (cell) => lookAtCell(cell, { ...options, deadline }), {
    concurrency: CELLS_AT_ONCE,
  });
  options.signal.throwIfAborted();
  return looks;
}

type CellOptions = LookOptions & { readonly deadline: AbortSignal };

async function lookAtCell(question: CellQuestion, options: CellOptions): Promise<Look> {
  const { clients, deadline, nowMs } = options;
  const limits = { ...lookLimits, ...options.limits };
  const stream = new DrainStream({
    ...{ client: clients.kinesis, place: question.place, limits, signal: deadline },
  });
  const atMs = nowMs();
  let facts: StreamFacts;
  let shards: readonly Shard[];
  try {
    [facts, shards] = await Promise.all([stream.facts(), stream.shards()]);
  } catch (error) {
    return failedCell(question, error);
  }
  const names = namesOf(question);
  const [found, findings] = await places({ question, names, shards, facts, atMs }, options);
  const ids = shards.flatMap(({ ShardId }) => ShardId ?? []);
  let done = 0;
  const counts = await pMap(
    ids,
    async (shardId): Promise<ShardResult> => {
      const positions = found.map(({ place }) => place.of(shardId));
      try {
        return await countShard({
          ...{ stream, shardId, positions, untilMs: atMs, limits, deadline },
          bounds: options.bounds ?? defaultBounds,
        });
      } catch (error) {
        return { tallies: [], problem: error };
      } finally {
        options.onProgress?.(`${question.cell}: ${++done} of ${ids.length} shards counted`);
      }
    },
    { concurrency: limits.shards },
  );
  return cellOf({ question, ids, counts, found, findings, facts, atMs });
}

const namesOf = ({ consumers, role }: CellQuestion): readonly ConsumerName[] =>
  consumers === undefined
    ? [{ kind: 'unknown', name: 'unknown' }]
    : consumers.map((consumer) => consumerName(consumer, role));

interface Asked {
  readonly question: CellQuestion;
  readonly names: readonly ConsumerName[];
  readonly shards: readonly Shard[];
  readonly facts: StreamFacts;
  readonly atMs: number;
}

async function places(
  { question, names, shards, facts, atMs }: Asked,
  options: CellOptions,
): Promise<readonly [readonly FoundPlace[], readonly StrandedFinding[]]> {
  const { clients, deadline, sinceMs } = options;
  const foreign = parseStreamArn(question.place.stream);
  const stream = foreign?.name ?? question.place.stream;
  const [tables, { ages, streamAges, problem }] = await Promise.all([
    pMap(
      names,
      async ({ kind, name }): Promise<LeaseTableReading | undefined> =>
        kind === 'kcl'
          ? readLeaseTable({ client: clients.dynamo, table: name, signal: deadline })
          : undefined,
      { concurrency: 4 },
    ),
    agesOf({ names, stream, isForeign: foreign !== undefined, facts, atMs }, options),
  ]);
  const found = names.map((name, n): FoundPlace => {
    const [leases, own] = [tables[n], ages.get(n)];
    return placeOf(
      {
        name,
        ...(leases !== undefined && { leases }),
        ...(own !== undefined && { ages: own }),
        ...(streamAges !== undefined && { streamAges }),
      },
      {
        ...{ stream, shards, keptFromMs: atMs - facts.retentionMs },
        ...{ moved: question.moved, shared: question.shared },
        ...(sinceMs !== undefined && { sinceMs }),
        ...(question.movedAtMs !== undefined && { movedAtMs: question.movedAtMs }),
      },
    );
  });
  if (problem === undefined) return [found, []];
  const text = `CloudWatch in ${question.place.region} does not tell how old records were when they were read: ${problem}`;
  const level = found.every(({ place }) => placeSources[place.by].vouched) ? 'note' : 'unknown';
  return [found, [{ level, cell: question.cell, text }]];
}

interface FoundAges {
  /** By the place of the consumer among the names. */
  readonly ages: ReadonlyMap<number, Ages>;
  readonly streamAges?: Ages;
  readonly problem?: string;
}

const noAges: FoundAges = { ages: new Map() };

async function agesOf(
  {
    names,
    stream,
    isForeign,
    facts,
    atMs,
  }: {
    readonly names: readonly ConsumerName[];
    readonly stream: string;
    /** In another account, whose metrics nobody sees here: one of the same name may be this account's own. */
    readonly isForeign: boolean;
    readonly facts: StreamFacts;
    readonly atMs: number;
  },
  { clients, deadline }: CellOptions,
): Promise<FoundAges> {
  const own = names.flatMap((name, n) => {
    const source = ageSourceOf(name, stream);
    return source === undefined || (isForeign && source.kind === 'enhancedFanOut') ? [] : [{ n, source }];
  });
  // Lease tables say more than any metric.
  const ofStream =
    isForeign || names.every(({ kind }) => kind === 'kcl') ? [] : [{ kind: 'stream', stream } as const];
  if (ofStream.length + own.length === 0) return noAges;
  // Nobody has read a stream before it was created; a stream of a local world is minutes old.
  const keptMs = Math.min(facts.retentionMs, Math.max(0, atMs - facts.createdAtMs));
  const minutes = Math.min(AGE_MINUTES, Math.ceil(keptMs / MINUTE_MS) + 1);
  try {
    const found = await readAges([...own.map(({ source }) => source), ...ofStream], {
      ...{ client: clients.cloudWatch, nowMs: atMs, minutes, signal: deadline },
    });
    const known = own.map(({ n }, at) => [n, found[at] as Ages] as const);
    const streamAges = ofStream.length === 0 ? undefined : found.at(-1);
    return { ages: new Map(known), ...(streamAges !== undefined && { streamAges }) };
  } catch (error) {
    const problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { ages: new Map(), problem };
  }
}
