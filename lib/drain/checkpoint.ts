import { z } from 'zod';
import { DrainUsageError } from './errors.ts';
import type { DrainPlan } from './plan.ts';

const count = z.int().nonnegative();
const timeMs = z.int().nonnegative();
const sequence = z.string().regex(/^\d{1,128}$/);
/** The last record that this drain knows of in each shard of the target. */
const tips = z.record(z.string(), sequence);
const place = z.strictObject({
  region: z.string(),
  stream: z.string(),
  /**
   * When the stream was created: a stream that was deleted and created again under the same name is another
   * stream.
   */
  createdAtMs: timeMs,
});

/** Where reading had come, in words that outlive the stream: a sequence number means nothing in another one. */
const reached = z.strictObject({
  arrivedAtMs: timeMs,
  /** Of its envelope; null for a record without one. */
  recordId: z.string().nullable(),
});

const shardState = z.strictObject({
  /** Every record up to this one is finished; null at the beginning. */
  after: sequence.nullable(),
  /** The record of `after`; null at the beginning, and in a shard that version 1 has read. */
  reached: reached.nullable().default(null),
  /**
   * Records after `after` and up to `last`, of which the first `done` chunks are in the target. `records` are those in the
   * chunks, `probes` the marked ones that are left out of them; absent in a page that an earlier version began, which put
   * those into the chunks as well. `whole`: aggregates are in the chunks as they are; absent in a page of an earlier version,
   * which did not take them apart.
   */
  page: z
    .strictObject({
      ...{ last: sequence, records: count, probes: count.optional(), done: count },
      whole: z.boolean().optional(),
    })
    .nullable(),
  /**
   * The next chunk may have been written, in whole or in part, at some time from `fromMs` to `untilMs`. None
   * of the chunk is in the target at or before `tips`.
   */
  intent: z.strictObject({ fromMs: timeMs, untilMs: timeMs, tips }).nullable(),
  finished: z.boolean(),
  counts: z.strictObject({
    read: count,
    copied: count,
    alreadyThere: count,
    bytes: count,
    enveloped: count,
    bare: count,
    damaged: count,
    // Earlier versions did not know of them.
    probes: count.default(0),
    aggregates: count.default(0),
  }),
});

const common = {
  format: z.literal('spillway-drain'),
  from: place,
  to: place,
  window: z.strictObject({ fromMs: timeMs, toMs: timeMs }),
  envelope: z.boolean(),
  tips,
  shards: z.record(z.string(), shardState),
  /** When everything was finished; null before. */
  finishedAtMs: timeMs.nullable(),
};

const second = z.strictObject({
  ...common,
  version: z.literal(2),
  /** When the drain began: none of its copies is older. */
  startedAtMs: timeMs,
  /**
   * A stream was created again since the drain began, so that reading began again: records whose id is in the target from
   * `startedAtMs` on are not copied twice.
   */
  again: z.boolean(),
  /** The source did not keep all that was still to be read, in one of the runs. */
  expired: z.boolean(),
});

/** Of a version that knew streams by their sequence numbers alone. A drain begins when its window is over. */
const first = z.strictObject({ ...common, version: z.literal(1) }).transform((found) => ({
  ...found,
  version: 2 as const,
  startedAtMs: found.window.toMs,
  again: false,
  expired: false,
}));

const checkpointSchema = z.union([second, first]);

export type Checkpoint = z.infer<typeof second>;
export type ShardState = z.infer<typeof shardState>;
export type Intent = NonNullable<ShardState['intent']>;
export type Tips = z.infer<typeof tips>;

/** When the streams were created; names and times together identify the streams. */
export interface StreamAges {
  readonly fromCreatedAtMs: number;
  readonly toCreatedAtMs: number;
}

export function newCheckpoint(
  plan: DrainPlan,
  { nowMs, ...ages }: StreamAges & { readonly nowMs: number },
): Checkpoint {
  return {
    format: 'spillway-drain',
    version: 2,
    from: { ...plan.from, createdAtMs: ages.fromCreatedAtMs },
    to: { ...plan.to, createdAtMs: ages.toCreatedAtMs },
    window: { fromMs: plan.fromMs, toMs: plan.toMs },
    envelope: plan.envelope,
    startedAtMs: nowMs,
    again: false,
    expired: false,
    tips: {},
    shards: {},
    finishedAtMs: null,
  };
}

/** @throws DrainUsageError for text that is not a complete checkpoint. */
export function parseCheckpoint(text: string, file: string): Checkpoint {
  const advice =
    'Do not delete this file in order to go on: what was copied would be copied again. Restore the file from a copy.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DrainUsageError(`${file} is not a checkpoint: it is not JSON. ${advice}`, { cause });
  }
  const parsed = checkpointSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const version = (value as { version?: unknown } | null)?.version;
  const [issue] = (version === 1 ? first : second).safeParse(value).error?.issues ?? [];
  const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`;
  throw new DrainUsageError(`${file} is not a checkpoint of this version${where}. ${advice}`);
}

/** @throws DrainUsageError when the checkpoint belongs to another drain. */
export function checkSameDrain(found: Checkpoint, asked: Checkpoint, file: string): void {
  const rows: readonly [string, (one: Checkpoint) => string][] = [
    ['the source', ({ from }) => `${from.stream} in ${from.region}`],
    ['the target', ({ to }) => `${to.stream} in ${to.region}`],
    ['the beginning', ({ window }) => new Date(window.fromMs).toISOString()],
    ['the end', ({ window }) => new Date(window.toMs).toISOString()],
    ['--envelope', ({ envelope }) => String(envelope)],
  ];
  for (const [what, of] of rows) {
    if (of(found) === of(asked)) continue;
    throw new DrainUsageError(
      `${file} is the checkpoint of another drain: ${what} is ${of(found)} there, and ${of(asked)} now. ` +
        'Give the same values to go on with it, or another `--checkpoint` file.',
    );
  }
}

/**
 * The checkpoint with which the drain goes on between the streams as they are now. Where one of them was created again, its
 * sequence numbers are void, or its copies are gone: reading begins again at the beginning of the window, and what the target
 * has under the same id is not copied twice.
 */
export function forStreams(found: Checkpoint, now: Checkpoint): Checkpoint {
  const isSame =
    found.from.createdAtMs === now.from.createdAtMs && found.to.createdAtMs === now.to.createdAtMs;
  return isSame ? found : { ...now, startedAtMs: found.startedAtMs, again: true };
}

/**
 * From when on the source must still keep everything, for nothing to be missing; what was read is no longer needed.
 */
export function neededFromMs({ window, shards }: Checkpoint, shardIds: readonly string[]): number {
  const needed = shardIds.map((shardId) => {
    const state = shards[shardId];
    return state?.finished ? window.toMs : (state?.reached?.arrivedAtMs ?? window.fromMs);
  });
  return Math.min(window.toMs, ...needed);
}
