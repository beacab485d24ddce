import type { Distribution } from '../../lambda/core/distribution.ts';
import { isProbeRecord } from '../envelope/probe-record.ts';
import { type Apart, takeApart } from './apart.ts';
import type { ShardState } from './checkpoint.ts';
import { chunksOf } from './chunks.ts';
import type { DrainCounts } from './counts.ts';
import { DrainError } from './errors.ts';
import type { DrainLimits } from './limits.ts';
import type { DrainPlan } from './plan.ts';
import {
  type CopiedRecord,
  copied,
  NO_KEY,
  recordIdOf,
  type SourceRecord,
  type UserRecord,
} from './record.ts';
import { readShard } from './shard-reader.ts';
import type { DrainStream } from './stream.ts';
import type { DrainTarget } from './target.ts';

export interface ShardDraining {
  readonly plan: DrainPlan;
  readonly source: DrainStream;
  readonly shardId: string;
  /** Belongs to the checkpoint; advanced here. */
  readonly state: ShardState;
  /** Absent in a dry run. */
  readonly target: DrainTarget | undefined;
  /** How the stream that is written to places records. */
  readonly placement: Distribution;
  /** Resolves when the checkpoint, this state in it, is durable. */
  readonly save: () => Promise<void>;
  readonly limits: DrainLimits;
  readonly signal: AbortSignal;
}

/** Copies the records of one shard that arrived in the window, in order, from the place in the state. */
export async function drainShard(draining: ShardDraining): Promise<void> {
  const { plan, source, shardId, state, limits, signal } = draining;
  if (state.finished) return;
  const from = state.after === null ? { atMs: plan.fromMs } : { after: state.after };
  // A page that was begun is repeated with the same records, so that it gives the same chunks.
  let begun: SourceRecord[] | undefined = state.page === null ? undefined : [];
  for await (const read of readShard({ stream: source, shardId, from, untilMs: plan.toMs, limits, signal })) {
    let page = read;
    if (begun !== undefined) {
      begun.push(...read);
      const [first, rest] = split(begun, state.page?.last);
      if (first === undefined) continue;
      begun = undefined;
      await drainPage(draining, first);
      page = rest;
    }
    if (page.length > 0) await drainPage(draining, page);
  }
  if (begun !== undefined) throw pageIsGone(draining);
  state.finished = true;
  await draining.save();
}

/** The records up to the one that ends a page, and those after it; undefined until that one is there. */
function split(
  records: readonly SourceRecord[],
  last: string | undefined,
): readonly [readonly SourceRecord[] | undefined, readonly SourceRecord[]] {
  const at = records.findIndex(({ sequenceNumber }) => sequenceNumber === last);
  return at < 0 ? [undefined, []] : [records.slice(0, at + 1), records.slice(at + 1)];
}

async function drainPage(draining: ShardDraining, page: readonly SourceRecord[]): Promise<void> {
  const { plan, shardId, state, target, save } = draining;
  const last = page.at(-1)?.sequenceNumber ?? '';
  // As it was begun, whatever is asked for now; an earlier version took no aggregate apart.
  const whole = state.page === null ? plan.allowAggregated : (state.page.whole ?? true);
  const { records: sources, probes, aggregates } = inWindow(page, { ...draining, whole });
  const records = sources.map((record) => copied(record, plan, shardId));
  assertPlaced(sources, draining);
  if (state.page === null) {
    count(state.counts, { records, probes, aggregates });
    state.page = { last, records: records.length, probes: probes.length, done: 0, whole };
  } else if (state.page.records !== records.length) throw pageIsGone(draining);
  const begun = state.page;
  if (target !== undefined) {
    const chunks = chunksOf(records);
    for (let done = state.page.done; done < chunks.length; done++) {
      const result = await target.write({
        chunk: chunks[done] ?? [],
        earlier: state.intent ?? undefined,
        intend: async (next) => {
          state.intent = next;
          await save();
        },
      });
      // Not saved here: the next intent, or the end, saves it too. If the drain is killed before that, the
      // next run finds the chunk in the target.
      state.counts.copied += result.copied;
      state.counts.alreadyThere += result.alreadyThere;
      state.page = { ...begun, done: done + 1 };
      state.intent = null;
    }
  }
  state.after = last;
  state.reached = reachedBy(page, records);
  state.page = null;
}

/** The last record of a page, as it is known outside of its stream. */
function reachedBy(page: readonly SourceRecord[], records: readonly CopiedRecord[]): ShardState['reached'] {
  const [last, copy] = [page.at(-1), records.at(-1)];
  return last === undefined
    ? null
    : { arrivedAtMs: last.arrivedAtMs, recordId: copy === undefined ? null : recordIdOf(copy) };
}

/** What arrived in the window, of a page. */
interface PageInWindow<Record> extends Omit<Apart, 'records'> {
  readonly records: readonly Record[];
  /** Marked records of observers: nobody in the target waits for them. */
  readonly probes: readonly SourceRecord[];
}

function inWindow(
  page: readonly SourceRecord[],
  { plan, state, shardId, whole }: ShardDraining & { readonly whole: boolean },
): PageInWindow<UserRecord> {
  const { fromMs, toMs, envelope } = plan;
  const windowed = page.filter(({ arrivedAtMs }) => arrivedAtMs >= fromMs && arrivedAtMs < toMs);
  // The chunks of a page that was begun have to stay as they were, so that those done are not other records.
  const keepsProbes = state.page !== null && state.page.probes === undefined;
  if (keepsProbes) return { records: windowed, probes: [], aggregates: 0 };
  const { records, aggregates }: Apart = whole
    ? { records: windowed, aggregates: 0 }
    : takeApart(windowed, { shardId, envelope });
  return {
    records: records.filter((record) => !isProbeRecord(record)),
    probes: records.filter(isProbeRecord),
    aggregates,
  };
}

function count(counts: DrainCounts, { records, probes, aggregates }: PageInWindow<CopiedRecord>): void {
  for (const { kind, data } of records) {
    counts.bytes += data.byteLength;
    counts[kind]++;
  }
  for (const { data } of probes) counts.bytes += data.byteLength;
  counts.probes += probes.length;
  counts.aggregates += aggregates;
  counts.read += records.length + probes.length;
}

/** Nothing of the page has been written. @throws DrainError for a record that the target would refuse for want of a key */
function assertPlaced(
  records: readonly UserRecord[],
  { plan, placement, source, shardId }: ShardDraining,
): void {
  if (placement === 'serviceManaged') return;
  const keyless = records.find(({ partitionKey }) => partitionKey === NO_KEY);
  if (keyless === undefined) return;
  const { stream, region } = plan.to;
  throw new DrainError(
    `${source.name}, ${shardId}: the record ${keyless.sequenceNumber} has no partition key, as producers of a stream with service-managed ` +
      `distribution may leave it out, and ${stream} in ${region} places records by their keys: it would be refused there. Copy to a stream ` +
      `with service-managed distribution (--to-stream, with a checkpoint of its own), or make this one such for the time (aws kinesis ` +
      `update-stream-record-distribution-strategy --region ${region} --stream-arn ARN --record-distribution-strategy AUTO) and run the same ` +
      'command again. What was copied so far stays, and is not copied twice.',
  );
}

function pageIsGone({ source, shardId }: ShardDraining): DrainError {
  return new DrainError(
    `${source.name}, ${shardId}: records that the checkpoint counts on are gone, because their retention has passed. ` +
      'Drain what is left with a new checkpoint and a later `--from`.',
  );
}
