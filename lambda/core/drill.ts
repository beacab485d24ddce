import type { ObserverReport } from './conductor-observers.ts';
import type { ControlReading } from './control.ts';
import { type FailbackRule, failbackRefusals } from './failback.ts';
import { DRILL, drillEntry, type JournalEntry } from './journal.ts';
import type { Lease } from './lease.ts';
import type { Policy } from './policy.ts';
import type { Role } from './role.ts';
import type { Position } from './switch.ts';

/** Longest duration of a drill, including its way back; the function's time-out is derived from it. */
export const DRILL_MAX_MS = 14 * 60_000;

/** Everything a guard of the drill may look at. */
export interface DrillFacts {
  readonly nowMs: number;
  readonly policy: Pick<Policy, 'recoveryMs' | 'votesToEvacuate'>;
  readonly standby: string;
  /** Regions that observe. */
  readonly observers: readonly string[];
  /** Reports of the observers that could be read. */
  readonly reports: readonly ObserverReport[];
  readonly control: ControlReading;
  readonly lease: Lease | undefined | 'unreadable';
  readonly newestEpoch: number | 'unreadable';
  /** Sentences about cells whose primary stream is too small: these keep every failback from starting. */
  readonly primaryShortfalls: readonly string[];
  /** Where DNS sends the drill cell's producers. */
  readonly answer: Role | 'unknown';
  readonly position: Position | 'unreadable';
}

export interface DrillRefusal {
  readonly rule: string;
  readonly reason: string;
}

interface DrillGuard {
  readonly rule: string;
  readonly purpose: string;
  /** The reason to refuse, or undefined. */
  readonly refuses: (facts: DrillFacts) => string | undefined;
}

/** Guards of the failback that also guard the drill. */
const askedAbove = new Set<FailbackRule>(['pause', 'votes']);

/**
 * The guards in the order in which they are applied and shown. A drill starts only if none refuses; nothing
 * overrides them.
 */
export const drillGuards = [
  {
    rule: 'pause',
    purpose: 'Whoever paused Spillway wants nothing moved. A pause that cannot be read counts as set.',
    refuses: ({ control, nowMs }) => {
      if (control === 'unreadable') return 'the control item cannot be read';
      const { pause } = control;
      if (pause === undefined || nowMs >= pause.untilMs) return undefined;
      return `paused by ${pause.owner}: ${pause.reason}`;
    },
  },
  {
    rule: 'maintenance',
    purpose: 'No drill during planned work, or if planned work begins before the drill would be over.',
    refuses: ({ control, nowMs }) => {
      if (control === 'unreadable' || control.maintenance === undefined) return undefined;
      const { owner, reason, fromMs, untilMs } = control.maintenance;
      if (nowMs >= untilMs || nowMs + DRILL_MAX_MS < fromMs) return undefined;
      return `maintenance by ${owner}: ${reason}`;
    },
  },
  {
    rule: 'votes',
    purpose: 'While an observer votes to evacuate, the outage may be real: no time for a rehearsal.',
    refuses: ({ reports }) => {
      const voters = reports.filter(({ fresh, vote }) => fresh && vote === 'EVACUATE');
      if (voters.length === 0) return undefined;
      return `EVACUATE votes come from ${voters.map(({ region }) => region).join(', ')}`;
    },
  },
  {
    rule: 'observer-silent',
    purpose: 'Every observer must be able to see whether the drill does harm.',
    refuses: ({ observers, reports }) => {
      const heard = new Set(reports.flatMap(({ region, fresh }) => (fresh ? [region] : [])));
      const silent = observers.filter((region) => !heard.has(region));
      return silent.length === 0 ? undefined : `nothing is heard from ${silent.join(', ')}`;
    },
  },
  {
    rule: 'not-in-primary',
    purpose: 'A cell that is already in the standby would measure nothing, and may be there for a reason.',
    refuses: ({ answer, position }) => {
      if (position !== 'PRIMARY') return `the drill cell's switch is ${position}`;
      return answer === 'primary' ? undefined : `DNS says ${answer} for the drill cell`;
    },
  },
  {
    rule: 'lease',
    purpose: 'Only one act runs at a time: a drill never takes the lease from another act.',
    refuses: ({ lease, newestEpoch, nowMs }) => {
      if (lease === 'unreadable' || newestEpoch === 'unreadable') return 'the lease cannot be read';
      return lease === undefined || nowMs >= lease.untilMs ? undefined : `${lease.holder} holds the lease`;
    },
  },
  {
    rule: 'way-back',
    purpose:
      'A cell that could not fail back must not leave: the guards of the failback are asked beforehand.',
    refuses: (facts) => {
      const { newestEpoch, ...known } = facts;
      if (newestEpoch === 'unreadable') return undefined;
      const refusal = failbackRefusals({
        ...known,
        epoch: newestEpoch + 1,
        newestEpoch,
        undrained: [],
        // The drill's cell carries no traffic, and nobody watches its stream.
        groups: [],
      }).find(({ rule }) => !askedAbove.has(rule));
      return refusal === undefined
        ? undefined
        : `a failback would be refused: ${refusal.reason} (${refusal.rule})`;
    },
  },
] as const satisfies readonly DrillGuard[];

export type DrillRule = (typeof drillGuards)[number]['rule'];

export const refusalText = ({ rule, reason }: DrillRefusal): string => `${reason} (${rule})`;

/** Every guard that refuses, in order. */
export function drillRefusals(facts: DrillFacts): readonly DrillRefusal[] {
  return drillGuards.flatMap(({ rule, refuses }) => {
    const reason = refuses(facts);
    return reason === undefined ? [] : [{ rule, reason }];
  });
}

/** The result of a drill through the real path. Times are in milliseconds; null = never. */
export interface DrillResult {
  readonly ok: boolean;
  readonly cell: string;
  /** From the request until the puts land in the standby, for five consecutive seconds. */
  readonly rtoMs: number | null;
  /** From the request to the first DNS answer that names the standby. */
  readonly flipMs: number | null;
  /** From the request until the switch reads STANDBY. */
  readonly latchedMs: number | null;
  /** From the request that was accepted until the puts are back in the primary. */
  readonly failback: { readonly ok: boolean; readonly ms: number | null };
  readonly records: { readonly acknowledged: number; readonly delivered: number; readonly lost: number };
  readonly failures: readonly string[];
  /** Set when the cell may not be back. */
  readonly nextCommand?: string;
}

export interface DrillAuthor {
  readonly owner: string;
  readonly reason: string;
  readonly group: string;
  readonly atMs: number;
}

const MAX_WHY = 600;

/**
 * The journal entry of a drill that was allowed to run. `spillway history` and `status` show what went wrong
 * in it.
 */
export function resultEntry({ owner, reason, group, atMs }: DrillAuthor, result: DrillResult): JournalEntry {
  const { cell, ok, rtoMs, records, failures } = result;
  const line = drillEntry({
    atMs,
    who: owner,
    subject: `cell ${cell}`,
    ok,
    rtoMs,
    lost: records.lost,
    group,
  });
  const why = [line.why, ...failures, reason].join('; ');
  return { ...line, why: why.slice(0, MAX_WHY), after: result };
}

/** The journal entry of a drill that a guard refused while nobody watched. It proves nothing. */
export function refusedEntry(
  { owner, reason, group, atMs }: DrillAuthor,
  refusals: readonly DrillRefusal[],
): JournalEntry {
  const why = `refused: ${[...refusals.map(refusalText), reason].join('; ')}`.slice(0, MAX_WHY);
  return { atMs, who: owner, what: DRILL, why, group, after: { ok: false, refusals } };
}
