import type { KinesisClient, Shard } from '@aws-sdk/client-kinesis';
import { shardIds } from '../aws/shards.ts';
import {
  type Checkpoint,
  checkSameDrain,
  forStreams,
  neededFromMs,
  newCheckpoint,
  type ShardState,
} from './checkpoint.ts';
import { CheckpointFile, readCheckpoint } from './checkpoint-file.ts';
import { lockCheckpoint } from './checkpoint-lock.ts';
import { type DrainCounts, noCounts, sumOf } from './counts.ts';
import { DrainUsageError } from './errors.ts';
import { type DrainLimits, defaultLimits } from './limits.ts';
import { parentsFirst } from './lineage.ts';
import { checkPlan, type DrainPlan, type StreamPlace } from './plan.ts';
import { idsIn } from './recognise.ts';
import { drainShard } from './shard-drain.ts';
import { DrainStream, type StreamFacts } from './stream.ts';
import { DrainTarget } from './target.ts';

export interface DrainOptions {
  readonly plan: DrainPlan;
  /** Where progress is kept. It stays after the end, so that a second run copies nothing. */
  readonly checkpointFile: string;
  /** Reads and counts, writes nothing, leaves the checkpoint alone. */
  readonly dryRun: boolean;
  /** With `maxAttempts: 1`: the drain does its own retries. */
  readonly clientOf: (region: string) => KinesisClient;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: DrainProgress) => void;
  /** Called when the source keeps records only from a time after what is still to be read: some may be gone. */
  readonly onExpired?: (keptFromMs: number) => void;
  /** Called when a stream was created again since an earlier run: reading begins again. */
  readonly onCreatedAgain?: () => void;
  /** Called when the target keeps no key together: the copies have no order there. */
  readonly onUnordered?: () => void;
  readonly limits?: Partial<DrainLimits>;
}

export interface DrainProgress {
  readonly counts: DrainCounts;
  readonly shardsDone: number;
  readonly shards: number;
}

export interface DrainReport extends DrainProgress {
  /** An earlier run of this drain had made progress; `counts` include its own. */
  readonly resumed: boolean;
  /** An earlier run had already done everything; this one did nothing. */
  readonly alreadyDone: boolean;
  /** The source no longer kept all that was still to be read. */
  readonly expired: boolean;
}

const PROGRESS_EVERY_MS = 2_000;

/**
 * Copies the records that arrived in a stream in a window of time to another stream, and resumes where an earlier run ended.
 *
 * When the drain is done, each record is in the target at least once, in the order of its key (a target with service-managed
 * distribution keeps no order, and it alone takes records without a key). A record with
 * an envelope, its own or of `plan.envelope`, keeps one id in every copy. A record without one is copied
 * once, also when the drain is killed between a write and its checkpoint, or a write ends without an answer:
 * the target is then read back from the moment of the write, and a record with the same key and the same
 * bytes counts as the copy. The drain cannot tell one case apart: if a producer itself puts a record of the
 * same key and bytes into the target in just that time, and the drain's own write was lost, the producer's
 * record is taken for the copy; so is a record of another shard, when explicit hash keys spread one key over
 * shards. With an envelope the drain can tell these cases apart.
 *
 * When a stream was created again since an earlier run, its sequence numbers are void: the drain reads the window again, and leaves
 * out the records whose id is in the target since the drain began. A record without an id is then copied again.
 *
 * KPL aggregates are taken apart, and each record in them is copied by itself; those that cannot be read are copied as they are, and
 * counted as damaged. Marked records of Spillway's observers are left out and counted: both their key and their first bytes have to be marked.
 *
 * @throws DrainUsageError, DrainError, or the reason of the abort
 */
export async function drain(options: DrainOptions): Promise<DrainReport> {
  checkPlan(options.plan, Date.now());
  if (options.dryRun) return run(options, undefined);
  const lock = await lockCheckpoint(options.checkpointFile);
  try {
    return await run(options, options.checkpointFile);
  } finally {
    lock.release();
  }
}

async function run(options: DrainOptions, file: string | undefined): Promise<DrainReport> {
  const { plan } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const open = (place: StreamPlace): DrainStream =>
    new DrainStream({ client: options.clientOf(place.region), place, limits, signal });
  const source = open(plan.from);
  const target = open(plan.to);
  const found = file === undefined ? undefined : await readCheckpoint(file);
  const [from, to] = await Promise.all([source.facts(), target.facts()]);
  const fresh = newCheckpoint(plan, {
    ...{ fromCreatedAtMs: from.createdAtMs, toCreatedAtMs: to.createdAtMs, nowMs: Date.now() },
  });
  if (found !== undefined && file !== undefined) checkSameDrain(found, fresh, file);
  const checkpoint = found === undefined ? fresh : forStreams(found, fresh);
  if (checkpoint !== found && found !== undefined) options.onCreatedAgain?.();
  let shards = await source.shards();
  const progress = (): DrainProgress => ({
    counts: sumOf(Object.values(checkpoint.shards).map(({ counts }) => counts)),
    shardsDone: Object.values(checkpoint.shards).filter(({ finished }) => finished).length,
    shards: shards.length,
  });
  if (checkpoint.finishedAtMs !== null)
    return { ...progress(), resumed: true, alreadyDone: true, expired: checkpoint.expired };
  const neededMs = neededFromMs(checkpoint, shardIds(shards));
  if (tellExpired(options, { neededMs, facts: from })) checkpoint.expired = true;
  if (to.distribution === 'serviceManaged') {
    assertTakenApart(plan);
    options.onUnordered?.();
  }

  const kept = file === undefined ? undefined : new CheckpointFile(file, checkpoint);
  const save = async (): Promise<void> => kept?.save();
  const writing =
    file === undefined
      ? undefined
      : new DrainTarget({
          ...{ stream: target, facts: to, tips: checkpoint.tips, limits, signal },
          ...(checkpoint.again && {
            known: await idsIn({ target, sinceMs: checkpoint.startedAtMs, limits, signal }),
          }),
        });
  const ticking = setInterval(() => options.onProgress?.(progress()), PROGRESS_EVERY_MS);
  try {
    const drained = new Set<string>();
    const isLeft = ({ ShardId }: Shard): boolean => ShardId !== undefined && !drained.has(ShardId);
    for (let left = shards; left.length > 0; left = shards.filter(isLeft)) {
      await parentsFirst({
        shards: left,
        width: limits.shards,
        work: async (shardId) => {
          const state = stateOf(checkpoint, shardId);
          await drainShard({
            plan,
            source,
            shardId,
            state,
            target: writing,
            placement: to.distribution,
            save,
            limits,
            signal,
          });
          drained.add(shardId);
        },
        onFailure: () => stopping.abort(new Error('another shard failed')),
      });
      // A window may end now, and a split or merge since the listing may have begun shards that hold its end.
      shards = await source.shards();
    }
    checkpoint.finishedAtMs = Date.now();
  } finally {
    clearInterval(ticking);
    await save();
  }
  return { ...progress(), resumed: found !== undefined, alreadyDone: false, expired: checkpoint.expired };
}

function stateOf(checkpoint: Checkpoint, shardId: string): ShardState {
  checkpoint.shards[shardId] ??= {
    after: null,
    reached: null,
    page: null,
    intent: null,
    finished: false,
    counts: { ...noCounts },
  };
  return checkpoint.shards[shardId];
}

/** @throws DrainUsageError */
function assertTakenApart({ allowAggregated, to }: DrainPlan): void {
  if (!allowAggregated) return;
  throw new DrainUsageError(
    `${to.stream} in ${to.region} has service-managed distribution, where the KCL drops aggregates in silence: leave out ` +
      '`--allow-aggregated`, so that each record is copied by itself.',
  );
}

/** @returns whether some may be gone */
function tellExpired(
  { onExpired }: DrainOptions,
  { neededMs, facts }: { readonly neededMs: number; readonly facts: StreamFacts },
): boolean {
  const keptFromMs = Date.now() - facts.retentionMs;
  if (neededMs >= keptFromMs) return false;
  onExpired?.(keptFromMs);
  return true;
}
