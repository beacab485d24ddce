import type { Latch, Phase, Quorum } from './lifecycle.ts';

interface Retry {
  readonly attempts: number;
  readonly pauseMs: number;
  readonly maxPauseMs: number;
}

/**
 * The conductor as data: what it does, in which order, how long each step may take, and what is left behind when one
 * cannot finish. The state machine (`lib/constructs/conductor-definition.ts`) is built from this table, and the runbook reads it.
 */
export interface ConductorStep {
  readonly step: string;
  readonly purpose: string;
  /** Of one attempt. */
  readonly timeoutMs: number;
  /** Further attempts, and the pause before the first of them; it doubles up to `maxPauseMs`. */
  readonly retry: Retry;
  /** How long an error is waited out that only says "not yet". */
  readonly waitsFor?: Retry & { readonly error: string };
  readonly whenItFails: {
    /** What the journal calls the system then. */
    readonly state: string;
    /** False: the run goes on, and ends with this state. */
    readonly stops: boolean;
    /** What to run next. `{run}`, `{epoch}` and `{groups}` are filled in. */
    readonly nextCommand: string;
  };
}

const quick = { attempts: 3, pauseMs: 1_000, maxPauseMs: 4_000 } as const;
const finishCommand = 'spillway failover {groups} --reason "finish epoch {epoch}"';

/** Evacuation: from the lease to the last word. In the order in which they run. */
export const evacuationSteps = [
  {
    step: 'lease',
    purpose: 'Only one act at a time, and never an older one over a newer one.',
    // A failback asks its guards first.
    timeoutMs: 15_000,
    retry: quick,
    // An evacuation takes it from an older act; a failback waits, longer than LEASE_MS, until a dead one's runs out.
    waitsFor: { error: 'LeaseHeldError', attempts: 22, pauseMs: 2_000, maxPauseMs: 10_000 },
    whenItFails: { state: 'not-started', stops: true, nextCommand: 'spillway status' },
  },
  {
    step: 'refresh',
    purpose: 'Is it still wanted, and is it not done already?',
    timeoutMs: 10_000,
    retry: quick,
    // Longer than SETTLED_MS.
    waitsFor: { error: 'QuorumUnsettledError', attempts: 12, pauseMs: 2_000, maxPauseMs: 10_000 },
    whenItFails: { state: 'not-latched', stops: true, nextCommand: finishCommand },
  },
  {
    step: 'fitness',
    purpose: 'Never pin traffic to a place that is known not to work.',
    timeoutMs: 10_000,
    retry: quick,
    whenItFails: {
      state: 'standby-unfit',
      stops: true,
      nextCommand: `spillway doctor; ${finishCommand} --force`,
    },
  },
  {
    step: 'latch',
    purpose: 'Hold every group in the standby, so that a recovering primary pulls nothing back.',
    timeoutMs: 20_000,
    retry: { attempts: 5, pauseMs: 1_000, maxPauseMs: 8_000 },
    whenItFails: { state: 'partly-latched', stops: true, nextCommand: finishCommand },
  },
  {
    step: 'confirm',
    purpose: 'Read the switches back, and set what is missing.',
    timeoutMs: 30_000,
    retry: quick,
    whenItFails: { state: 'partly-latched', stops: true, nextCommand: finishCommand },
  },
  {
    step: 'dns',
    purpose: "Ask the zone's name servers where each cell is.",
    timeoutMs: 20_000,
    retry: quick,
    // A switch check needs three failures in a row at 10 or 30 s.
    waitsFor: { error: 'DnsElsewhereError', attempts: 10, pauseMs: 3_000, maxPauseMs: 10_000 },
    whenItFails: { state: 'latched-dns-elsewhere', stops: false, nextCommand: 'spillway status --watch' },
  },
  {
    step: 'arrivals',
    purpose: 'See records arrive in the standby. Nothing to see is no failure: a cell may be idle.',
    timeoutMs: 20_000,
    retry: { attempts: 1, pauseMs: 2_000, maxPauseMs: 2_000 },
    whenItFails: { state: 'latched-arrivals-unknown', stops: false, nextCommand: 'spillway status --watch' },
  },
  {
    step: 'notify',
    purpose: 'Tell people. A message that cannot be sent changes nothing.',
    timeoutMs: 15_000,
    retry: { attempts: 1, pauseMs: 1_000, maxPauseMs: 1_000 },
    whenItFails: { state: 'not-notified', stops: false, nextCommand: 'spillway history' },
  },
  {
    step: 'finish',
    purpose: 'Write the last line and give the lease back.',
    timeoutMs: 10_000,
    retry: quick,
    whenItFails: { state: 'lease-kept', stops: false, nextCommand: 'spillway status' },
  },
] as const satisfies readonly ConductorStep[];

const resumed = 'spillway failback {groups} --reason "finish epoch {epoch}"';

/** Failback, after the lease. `release` and `watch` alternate, stage by stage; `notify` and `finish` end it as well. */
export const failbackSteps = [
  {
    step: 'failback-guards',
    purpose: 'Refuse unless the primary has recovered, for long enough, as K observers see it.',
    timeoutMs: 15_000,
    retry: quick,
    whenItFails: { state: 'not-started', stops: true, nextCommand: 'spillway status' },
  },
  {
    step: 'release',
    purpose: 'Give the groups of the next stage back to the primary.',
    timeoutMs: 30_000,
    retry: quick,
    whenItFails: { state: 'partly-failed-back', stops: true, nextCommand: resumed },
  },
  {
    step: 'watch',
    purpose: 'While a stage settles: does the primary degrade again?',
    timeoutMs: 15_000,
    retry: quick,
    whenItFails: { state: 'partly-failed-back', stops: true, nextCommand: resumed },
  },
  {
    step: 'take-back',
    purpose: 'The primary degrades again: return to the standby what this failback had released.',
    timeoutMs: 30_000,
    retry: quick,
    whenItFails: { state: 'partly-failed-back', stops: true, nextCommand: finishCommand },
  },
] as const satisfies readonly ConductorStep[];

/** How a run ends that no failing step has named. */
export interface RunEnd {
  readonly state: string;
  readonly meaning: string;
  /** What to run next, if anything. */
  readonly nextCommand?: string;
}

/** An end and no failure: a guard that refuses has done its work. */
export const failbackRefused = {
  state: 'failback-refused',
  meaning: 'A guard refuses the failback, and says why. Nothing was moved.',
  nextCommand: 'spillway why',
} as const satisfies RunEnd;

export const runEnds: readonly RunEnd[] = [
  { state: 'latched', meaning: 'Every switch that was asked for holds, and DNS names the standby.' },
  {
    state: 'no-longer-wanted',
    meaning: 'DNS was back in the primary before anything was set, and nobody had asked for more.',
    nextCommand: 'spillway why',
  },
  {
    state: 'failed-back',
    meaning: 'Every switch that was asked for is back in the primary, and DNS names it.',
  },
  failbackRefused,
  {
    state: 'released-dns-elsewhere',
    meaning:
      'Switches were released, and DNS has not followed to the primary: no further stage was begun. Votes, or health checks that do not see the switches, hold those cells in the standby.',
    nextCommand: 'spillway status --watch; spillway doctor',
  },
  {
    state: 'failback-taken-back',
    meaning: 'The primary degraded again meanwhile: what had been released is in the standby again.',
    nextCommand: 'spillway why',
  },
  {
    state: 'superseded',
    meaning: 'A newer act has begun, and is about every group that this one had still to move.',
    nextCommand: 'spillway status --watch',
  },
  {
    state: 'superseded-unfinished',
    meaning: 'A newer act has begun, but is not about every group that this one had still to move.',
    nextCommand: 'spillway status --watch; spillway history',
  },
];

export type EvacuationStepName = (typeof evacuationSteps)[number]['step'];
export type FailbackStepName = (typeof failbackSteps)[number]['step'];
export type StepName = EvacuationStepName | FailbackStepName;
export const conductorSteps: readonly ConductorStep[] = [...evacuationSteps, ...failbackSteps];

export function stepNamed(name: StepName): ConductorStep {
  const found = conductorSteps.find(({ step }) => step === name);
  if (found === undefined) throw new Error(`No step ${name}: add a row.`);
  return found;
}

/** Longest pause of a failback between two looks at the primary: one that degrades again is to be seen in time. */
export const MAX_WAIT_SECONDS = 30;
/**
 * Life of a lease that is not renewed. Each attempt of each step renews it, and so does each batch of the latch; the longest
 * wait and then the slowest step with all its retries fit. Only a failback ever waits for one to run out, and only if the
 * run that had it has died: an evacuation takes it at once.
 */
export const LEASE_MS = 180_000;
/**
 * An evacuation that has not latched is started again after this long: under the same epoch, or, if a newer act has
 * fenced that, under a new one. Two runs of one act do each other no harm, so this need not wait for the first to die.
 */
export const RESTART_MS = 120_000;

/** Who acts: one name per act, whichever execution carries it. Holder of the lease, and prefix of its journal entries. */
export function runName(groups: readonly string[] | undefined, epoch: number): string {
  return `${scopeName(groups)}-${epoch}`;
}

function scopeName(groups: readonly string[] | undefined): string {
  if (groups === undefined) return 'all';
  const [only, ...others] = groups;
  return only !== undefined && others.length === 0 ? only : 'some';
}

/** An act that has begun, as the lease and its claim of a number tell. */
export interface Act {
  /** Its run. */
  readonly holder: string;
  readonly epoch: number;
  /** Absent: it claimed no groups, which those about all of them do, and older versions. */
  readonly groups?: readonly string[] | undefined;
}

/** Whether an act is about a group. Where only its name is known, `some-7` is not taken to be. */
export function isAbout({ holder, epoch, groups }: Act, group: string): boolean {
  if (groups !== undefined) return groups.includes(group);
  return holder === runName(undefined, epoch) || holder === runName([group], epoch);
}

/**
 * Step Functions takes a name once in 90 days, so starting twice is once. A run that died is started again under the
 * next attempt's name; run, lease and journal stay the same.
 */
export const executionName = (run: string, attempt: number): string =>
  attempt === 0 ? run : `${run}-retry-${attempt}`;

/** Which attempt is due, for an evacuation that this observer has voted for since then. */
export const attemptDue = (voteSinceMs: number, nowMs: number): number =>
  Math.max(0, Math.floor((nowMs - voteSinceMs) / RESTART_MS));

export interface EvacuationSight {
  readonly phase: Phase;
  readonly latch: Latch;
  readonly quorum: Quorum;
  readonly voteSinceMs: number | null;
}

/**
 * Whether the standby's observer has to start the conductor. Its own vote must be for leaving, not only the quorum:
 * inverted health checks begin unhealthy, so that right after a deployment DNS names the standby though nobody asked.
 */
export const evacuationDue = ({ phase, latch, quorum, voteSinceMs }: EvacuationSight): boolean =>
  phase === 'evacuating' && quorum === 'standby' && latch !== 'latched' && voteSinceMs !== null;

/**
 * Whether it has to ask how the others vote: DNS has moved without it. It may be sick, in its cooldown, or see the
 * primary well; the quorum moved traffic all the same, and that has to be held.
 */
export const evacuationSuspected = ({
  phase,
  latch,
  quorum,
}: Omit<EvacuationSight, 'voteSinceMs'>): boolean =>
  phase !== 'evacuating' && quorum === 'standby' && latch !== 'latched';

/**
 * For so long after its start a run that the quorum has asked for does not believe that DNS is back in the primary: the
 * longest a resolver keeps an answer, 60 s, and the 30 s in which a health check looks again.
 */
export const SETTLED_MS = 90_000;

/** Thousands of names would not fit a message, nor the cause of an execution. */
const MAX_NAMED_GROUPS = 50;

/** Fills the placeholders of a next command. */
export function nextCommand(
  template: string,
  { epoch, groups }: { readonly epoch: number; readonly groups?: readonly string[] | undefined },
): string {
  return template.replaceAll('{epoch}', String(epoch)).replaceAll('{groups}', scopeOption(groups));
}

function scopeOption(groups: readonly string[] | undefined): string {
  if (groups === undefined) return '--all';
  if (groups.length <= MAX_NAMED_GROUPS) return `--cells ${groups.join(',')}`;
  return `--cells "the same ${groups.length} as before"`;
}
