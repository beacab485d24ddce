import type { Blame } from './blame.ts';
import type { ControlReading } from './control.ts';
import { type Diagnosis, isFit } from './diagnosis.ts';
import type { RegionLevels, SignalName } from './observation.ts';
import type { Mode, Policy } from './policy.ts';
import type { ObserverCondition } from './regions-seen.ts';

/** Everything a guard may look at. */
export interface GuardInput {
  readonly nowMs: number;
  readonly policy: Policy;
  readonly control: ControlReading;
  readonly diagnosis: Pick<Diagnosis, 'code' | 'actionable'>;
  readonly standby: RegionLevels;
  readonly blames: readonly Blame[];
  readonly observer: ObserverCondition;
  /** When a put to the primary last failed; null = never. */
  readonly putFailedAtMs: number | null;
  /** Since when the diagnosis has been actionable without a break. */
  readonly actionableSinceMs: number | null;
  /** When the last evacuation of this observer's vote ended; of a cell, when its switch was last given back. */
  readonly clearedAtMs: number | null;
  /** Present when a cell alone is to move, by its switch. */
  readonly cell?: {
    /** This observer accuses the whole region, with which the cell moves. */
    readonly regionAccused: boolean;
    /** Of the cell's switch. */
    readonly position: 'PRIMARY' | 'STANDBY' | 'unknown';
    /** What speaks against the cell's stream in the standby; undefined: nothing. */
    readonly standbyProblem: string | undefined;
    /** This observer's own records have lately been taken there. */
    readonly standbyTakes: boolean;
  };
}

/** Why no evacuation starts now. `untilMs` is when this rule stops refusing by itself, if that is known. */
export interface Refusal {
  readonly rule: GuardRule;
  readonly reason: string;
  readonly untilMs?: number;
}

interface Guard {
  readonly rule: string;
  readonly purpose: string;
  readonly refuses: (input: GuardInput) => Omit<Refusal, 'rule'> | undefined;
}

const modeOf = (input: GuardInput): Mode =>
  input.control === 'unreadable' ? 'observe' : (input.control.mode ?? input.policy.mode);

function modeRefusal(input: GuardInput): Omit<Refusal, 'rule'> | undefined {
  const mode = modeOf(input);
  switch (mode) {
    case 'auto':
      return undefined;
    case 'observe':
      return { reason: 'mode is observe: votes are not cast' };
    case 'approve': {
      const approval = input.control === 'unreadable' ? undefined : input.control.approval;
      if (approval !== undefined && input.nowMs < approval.untilMs) return undefined;
      return { reason: 'mode is approve, and no operator has approved' };
    }
    default:
      return mode satisfies never;
  }
}

const inPart = (levels: RegionLevels, name: SignalName): string =>
  `${levels[name]}${levels.partly?.includes(name) === true ? ' in part' : ''}`;

/**
 * Rounds within which an impaired primary shows a failure: an observer that remembers one makes ten puts a round, and if
 * one put in five fails, four such rounds succeed wholly once in some thousands of times.
 */
const FAILING_NOW_TICKS = 4;

/** The guards in the order in which they are applied and shown. An evacuation starts only if none refuses. */
export const guards = [
  {
    rule: 'mode',
    purpose: 'The operator decides how autonomous Spillway is.',
    refuses: modeRefusal,
  },
  {
    rule: 'pause',
    purpose: 'A pause fails closed: a pause that cannot be read counts as set.',
    refuses: ({ control, nowMs }) => {
      if (control === 'unreadable') return { reason: 'the control item cannot be read' };
      if (control.pause === undefined || nowMs >= control.pause.untilMs) return undefined;
      const { owner, reason, untilMs } = control.pause;
      return { reason: `paused by ${owner}: ${reason}`, untilMs };
    },
  },
  {
    rule: 'maintenance',
    purpose: 'Planned work in either region is not an outage.',
    refuses: ({ control, nowMs }) => {
      if (control === 'unreadable' || control.maintenance === undefined) return undefined;
      const { fromMs, untilMs, owner, reason } = control.maintenance;
      if (nowMs < fromMs || nowMs >= untilMs) return undefined;
      return { reason: `maintenance by ${owner}: ${reason}`, untilMs };
    },
  },
  {
    rule: 'observer-sick',
    purpose: 'An observer that cannot trust itself accuses no region.',
    refuses: ({ observer }) =>
      observer === 'sound' ? undefined : { reason: `this observer is ${observer}` },
  },
  {
    rule: 'moves-with-region',
    purpose: 'A cell does not move alone while the whole region is accused: the votes move them all.',
    refuses: ({ cell }) =>
      cell?.regionAccused === true ? { reason: 'this observer accuses the whole region' } : undefined,
  },
  {
    rule: 'in-standby',
    purpose: 'A cell whose switch holds it in the standby has moved already.',
    refuses: ({ cell }) => {
      if (cell === undefined || cell.position === 'PRIMARY') return undefined;
      return cell.position === 'STANDBY'
        ? { reason: 'the switch of the cell holds it in the standby' }
        : { reason: 'the switches cannot be read' };
    },
  },
  {
    rule: 'not-actionable',
    purpose: 'Leaving the region helps against some diagnoses only.',
    refuses: ({ diagnosis }) =>
      diagnosis.actionable ? undefined : { reason: `${diagnosis.code} does not call for an evacuation` },
  },
  {
    rule: 'standby-unfit',
    purpose: 'Never evacuate to a place that is not known to work.',
    refuses: ({ standby, blames, cell }) => {
      // The very stream to which the cell would move takes this observer's records, whatever the canary beside it does.
      if (cell?.standbyTakes === true) return undefined;
      if (!isFit(standby, blames)) {
        const reason = `standby: writes ${inPart(standby, 'kinesisWrite')}, reads ${inPart(standby, 'kinesisRead')}, reachability ${standby.reachability}`;
        return { reason };
      }
      if (cell?.standbyProblem === undefined) return undefined;
      return { reason: `the cell’s stream in the standby ${cell.standbyProblem}` };
    },
  },
  {
    rule: 'over-already',
    purpose:
      'A vote needs a failure that is still going on: an alarm clears slowly, and may outlast its cause.',
    refuses: ({ putFailedAtMs, policy, nowMs, diagnosis }) => {
      if (!diagnosis.actionable || putFailedAtMs === null) return undefined;
      const quietMs = nowMs - putFailedAtMs;
      if (quietMs <= FAILING_NOW_TICKS * policy.tickMs) return undefined;
      return { reason: `no put to the primary has failed for ${Math.round(quietMs / 1_000)} s` };
    },
  },
  {
    rule: 'cooldown',
    purpose: 'One evacuation per epoch: a region that fails twice in a row does not bounce traffic.',
    refuses: ({ clearedAtMs, policy, nowMs }) => {
      // A time in the future is that of a clock that was wrong.
      if (clearedAtMs === null || clearedAtMs > nowMs) return undefined;
      const untilMs = clearedAtMs + policy.cooldownMs;
      return nowMs < untilMs ? { reason: 'the last evacuation ended a short while ago', untilMs } : undefined;
    },
  },
  {
    rule: 'hold-time',
    purpose: 'The diagnosis must stand for the time the policy asks for.',
    refuses: ({ actionableSinceMs, policy, nowMs }) => {
      if (actionableSinceMs === null || policy.holdMs === 0) return undefined;
      const untilMs = actionableSinceMs + policy.holdMs;
      return nowMs < untilMs ? { reason: 'the diagnosis has not stood long enough yet', untilMs } : undefined;
    },
  },
] as const satisfies readonly Guard[];

export type GuardRule = (typeof guards)[number]['rule'];

/** Every guard that refuses, in order. An empty list lets the evacuation start. */
export function refusalsOf(input: GuardInput): readonly Refusal[] {
  const refusals: Refusal[] = [];
  for (const guard of guards) {
    const refusal = guard.refuses(input);
    if (refusal !== undefined) refusals.push({ rule: guard.rule, ...refusal });
  }
  return refusals;
}
