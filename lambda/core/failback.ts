import { accusingKinds } from './cell-findings.ts';
import { MAX_WAIT_SECONDS } from './conductor.ts';
import type { SwitchState } from './conductor-latch.ts';
import { accusesAnyOf, type ObserverReport } from './conductor-observers.ts';
import type { ControlReading } from './control.ts';
import type { Phase } from './lifecycle.ts';
import { type Policy, recoveredAtMs } from './policy.ts';

/** Everything a guard of the failback may look at. */
export interface FailbackFacts {
  readonly nowMs: number;
  readonly policy: Pick<Policy, 'recoveryMs' | 'votesToEvacuate'>;
  readonly epoch: number;
  readonly newestEpoch: number;
  readonly control: ControlReading;
  /** Reports of all N observers; one that could not be read is missing. */
  readonly reports: readonly ObserverReport[];
  readonly standby: string;
  /** Groups that are to return. */
  readonly groups: readonly string[];
  /** Sentences about cells whose primary stream is too small. */
  readonly primaryShortfalls: readonly string[];
  /**
   * Cells whose stranded records have not been drained; empty unless the failback has to wait for the drain.
   */
  readonly undrained: readonly string[];
}

export interface FailbackRefusal {
  readonly rule: FailbackRule;
  readonly reason: string;
  /** When this rule stops refusing by itself, if that is known. */
  readonly untilMs?: number;
}

interface FailbackGuard {
  readonly rule: string;
  readonly purpose: string;
  readonly refuses: (facts: FailbackFacts) => Omit<FailbackRefusal, 'rule'> | undefined;
}

/**
 * The guards in the order in which they are applied and shown. A failback starts only if none refuses, or by
 * force.
 */
export const failbackGuards = [
  {
    rule: 'newer-epoch',
    purpose: 'A failback that was decided before a newer evacuation is void.',
    refuses: ({ epoch, newestEpoch }) =>
      newestEpoch > epoch ? { reason: `epoch ${newestEpoch} has begun since epoch ${epoch}` } : undefined,
  },
  {
    rule: 'pause',
    purpose: 'A pause stops Spillway in both directions. A pause that cannot be read counts as set.',
    refuses: ({ control, nowMs }) => {
      if (control === 'unreadable') return { reason: 'the control item cannot be read' };
      if (control.pause === undefined || nowMs >= control.pause.untilMs) return undefined;
      const { owner, reason, untilMs } = control.pause;
      return { reason: `paused by ${owner}: ${reason}`, untilMs };
    },
  },
  {
    rule: 'votes',
    purpose: 'While K observers vote to leave the primary, nothing goes back there.',
    refuses: votesRefusal,
  },
  {
    rule: 'recovery',
    purpose: 'K observers must have seen the primary healthy for the recovery time.',
    refuses: recoveryRefusal,
  },
  {
    rule: 'canary',
    purpose: "The standby's own observer must be able to write to and read from the primary now.",
    refuses: ({ reports, standby }) => {
      const own = reports.find(({ region }) => region === standby);
      if (own === undefined || !own.fresh) return { reason: `the observer in ${standby} is silent` };
      if (own.healthySinceMs !== null) return undefined;
      return { reason: `seen from ${standby}, the canary of the primary does not work (${own.diagnosis})` };
    },
  },
  {
    rule: 'streams',
    purpose: 'While K observers find the own stream of a cell impaired, that cell does not return.',
    refuses: ({ reports, groups, policy }) => {
      const accusers = reports.filter((report) => report.fresh && accusesAnyOf(report, groups));
      if (accusers.length < policy.votesToEvacuate) return undefined;
      const impaired = new Set(
        accusers.flatMap(({ cells = [] }) =>
          cells.flatMap(({ cell, group, kind }) =>
            accusingKinds.has(kind) && groups.includes(group) ? [cell] : [],
          ),
        ),
      );
      return { reason: `the streams of ${[...impaired].slice(0, 10).join(', ')} fail in the primary` };
    },
  },
  {
    rule: 'capacity',
    purpose: 'A primary that was scaled in meanwhile would throttle everything.',
    refuses: ({ primaryShortfalls: [first, ...others] }) =>
      first === undefined
        ? undefined
        : { reason: others.length === 0 ? first : `${first}; and ${others.length} more cells` },
  },
  {
    rule: 'drain',
    purpose: 'With `--after-drain`, wait until the records stranded in the primary have been read.',
    refuses: ({ undrained: [first, ...others] }) =>
      first === undefined
        ? undefined
        : {
            reason: `records of ${first} are not drained${others.length === 0 ? '' : `, nor of ${others.length} more cells`}`,
          },
  },
] as const satisfies readonly FailbackGuard[];

export type FailbackRule = (typeof failbackGuards)[number]['rule'];

/** Every guard that refuses, in order. */
export function failbackRefusals(facts: FailbackFacts): readonly FailbackRefusal[] {
  return failbackGuards.flatMap((guard) => {
    const refusal = guard.refuses(facts);
    return refusal === undefined ? [] : [{ rule: guard.rule, ...refusal }];
  });
}

function recoveryRefusal({
  reports,
  policy,
  nowMs,
}: FailbackFacts): Omit<FailbackRefusal, 'rule'> | undefined {
  const needed = policy.votesToEvacuate;
  const readyAtMs = reports
    .flatMap(({ fresh, healthySinceMs }) =>
      fresh && healthySinceMs !== null ? [recoveredAtMs(healthySinceMs, policy)] : [],
    )
    .toSorted((a, b) => a - b);
  const untilMs = readyAtMs[needed - 1];
  const seconds = Math.round(policy.recoveryMs / 1_000);
  if (untilMs === undefined) {
    return { reason: `${readyAtMs.length} observers see the primary healthy, ${needed} are needed` };
  }
  if (nowMs >= untilMs) return undefined;
  return {
    reason: `fewer than ${needed} observers have seen the primary healthy for ${seconds} s`,
    untilMs,
  };
}

/**
 * When a failback becomes possible, if no new reason against it comes up: now, when no guard refuses; null,
 * when one of them does not end by itself, or does not know when.
 */
export function failbackPossibleFromMs(
  refusals: readonly Pick<FailbackRefusal, 'untilMs'>[],
  nowMs: number,
): number | null {
  let fromMs = nowMs;
  for (const { untilMs } of refusals) {
    if (untilMs === undefined) return null;
    fromMs = Math.max(fromMs, untilMs);
  }
  return fromMs;
}

/**
 * Only in this phase does a vote end by itself: the observer knows that the switches hold, and waits for the
 * recovery.
 */
const ENDS_WITH_RECOVERY = 'evacuated' satisfies Phase;

function votesRefusal({ reports, policy }: FailbackFacts): Omit<FailbackRefusal, 'rule'> | undefined {
  const voters = reports.filter((report) => report.fresh && report.vote === 'EVACUATE');
  // Fewer move nothing, and an observer that is cut off from the primary would vote for ever.
  if (voters.length < policy.votesToEvacuate) return undefined;
  const ends = voters
    .flatMap(({ phase, healthySinceMs }) =>
      phase === ENDS_WITH_RECOVERY && healthySinceMs !== null ? [recoveredAtMs(healthySinceMs, policy)] : [],
    )
    .toSorted((a, b) => a - b);
  // The end of this vote leaves too few.
  const untilMs = ends[voters.length - policy.votesToEvacuate];
  return {
    reason: `EVACUATE votes come from ${voters.map(({ region }) => region).join(', ')}`,
    ...(untilMs === undefined ? {} : { untilMs }),
  };
}

/** How many groups are back after this stage (from 0). Repeating a stage gives the same number. */
export function stageTarget({
  total,
  percent,
  stage,
}: {
  readonly total: number;
  readonly percent: number;
  readonly stage: number;
}): number {
  return Math.min(total, Math.ceil((total * percent * (stage + 1)) / 100));
}

/** Number of stages after which all groups are back. */
export function stageCount({ total, percent }: { readonly total: number; readonly percent: number }): number {
  let stage = 0;
  while (stage < 100 && stageTarget({ total, percent, stage }) < total) stage++;
  return stage + 1;
}

export interface ReleasePlan {
  /** Groups to set to PRIMARY in this stage. */
  readonly release: readonly string[];
  /** Groups that this act has brought back, including this stage's. */
  readonly released: number;
  /** Groups of this act in all: those it has released, and those it still will. */
  readonly total: number;
  /** Groups that a newer act holds in the standby. They are left to that act, and are not back. */
  readonly overruled: number;
}

/**
 * Plans which groups to release so that a stage's share is back. The act's groups are those in the standby
 * and those that it has released itself; a group that a newer act has set no longer belongs to it.
 */
export function releasePlan(plan: {
  readonly groups: readonly string[];
  readonly switches: readonly SwitchState[];
  readonly epoch: number;
  readonly percent: number;
  readonly stage: number;
}): ReleasePlan {
  const { epoch, percent, stage } = plan;
  const byGroup = new Map(plan.switches.map((one) => [one.group, one]));
  const mine = plan.groups.filter((group) => isReleasedBy(byGroup.get(group), epoch));
  const waiting = plan.groups.filter((group) => {
    const known = byGroup.get(group);
    return known?.position === 'STANDBY' && known.epoch <= epoch;
  });
  const overruled = plan.groups.filter((group) => {
    const known = byGroup.get(group);
    return known?.position === 'STANDBY' && known.epoch > epoch;
  }).length;
  const total = mine.length + waiting.length;
  const release = waiting.slice(0, Math.max(0, stageTarget({ total, percent, stage }) - mine.length));
  return { release, released: mine.length + release.length, total, overruled };
}

/** The groups that a failback returns to the standby when it stops. */
export function groupsToTakeBack(switches: readonly SwitchState[], epoch: number): readonly string[] {
  return switches.filter((one) => isReleasedBy(one, epoch)).map(({ group }) => group);
}

const isReleasedBy = (known: SwitchState | undefined, epoch: number): boolean =>
  known !== undefined && known.position === 'PRIMARY' && known.epoch === epoch;

export interface DrainQuestion {
  readonly cells: readonly { readonly cell: string; readonly group: string }[];
  /** Groups of this act. */
  readonly groups: readonly string[];
  /** Epoch of the last evacuation whose stranded records were read, by cell. */
  readonly drained: ReadonlyMap<string, number>;
  readonly switches: readonly SwitchState[];
}

/** Cells of these groups whose stranded records have not been marked as read since they were moved. */
export function undrainedCells({ cells, groups, drained, switches }: DrainQuestion): readonly string[] {
  const wanted = new Set(groups);
  const epochs = new Map(switches.map(({ group, epoch }) => [group, epoch]));
  return cells.flatMap(({ cell, group }) => {
    const done = (drained.get(cell) ?? -1) >= (epochs.get(group) ?? 0);
    return wanted.has(group) && !done ? [cell] : [];
  });
}

/**
 * The most looks at the primary in one run. An execution may have 25,000 events, and a look takes nine: a
 * third of the events is kept for repeated looks.
 */
export const MAX_LOOKS = 1_800;
const HOUR_SECONDS = 3_600;

export interface StagedPlan {
  /** Groups of a stage, as a share of those to move. */
  readonly percent: number;
  readonly pauseSeconds: number;
}

export const stagesOf = ({ percent }: Pick<StagedPlan, 'percent'>): number => Math.ceil(100 / percent);
export const watchedSeconds = (plan: StagedPlan): number => stagesOf(plan) * plan.pauseSeconds;

/** Why a run cannot watch for this long; undefined when it can. No force overrides this. */
export function tooLongToWatch(plan: StagedPlan): string | undefined {
  if (watchedSeconds(plan) <= MAX_LOOKS * MAX_WAIT_SECONDS) return undefined;
  const hours = (seconds: number): string => `${Math.round(seconds / HOUR_SECONDS)} h`;
  return `${stagesOf(plan)} stages of ${plan.pauseSeconds} s take ${hours(watchedSeconds(plan))}, and a run can watch for ${hours(MAX_LOOKS * MAX_WAIT_SECONDS)}: ask for fewer stages, or a shorter pause`;
}
