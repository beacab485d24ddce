import type { Latch, Phase, Quorum } from './lifecycle.ts';

interface Retry {
  readonly attempts: number;
  readonly pauseMs: number;
  readonly maxPauseMs: number;
}

/**
 * One step of the conductor as data: what it does, how long it may take, and what remains when it cannot
 * finish. The state machine (`lib/constructs/conductor-definition.ts`) is built from the tables of these
 * steps, and the runbook reads them.
 */
export interface ConductorStep {
  readonly step: string;
  readonly purpose: string;
  /** Time-out of one attempt. */
  readonly timeoutMs: number;
  /** Further attempts, and the pause before the first of them; it doubles up to `maxPauseMs`. */
  readonly retry: Retry;
  /** How long to wait for an error that only means "not yet". */
  readonly waitsFor?: Retry & { readonly error: string };
  readonly whenItFails: {
    /** What the journal then calls the state of the system. */
    readonly state: string;
    /** False: the run goes on, and ends with this state. */
    readonly stops: boolean;
    /** Command to run next. `{run}`, `{epoch}` and `{groups}` are filled in. */
    readonly nextCommand: string;
  };
}

const quick = { attempts: 3, pauseMs: 1_000, maxPauseMs: 4_000 } as const;
const finishCommand = 'spillway failover {groups} --reason "finish epoch {epoch}"';

/** The steps of an evacuation, in order: from the lease to the final report. */
export const evacuationSteps = [
  {
    step: 'lease',
    purpose: 'Only one act runs at a time, and an older act never overrides a newer one.',
    // A failback checks its guards first.
    timeoutMs: 15_000,
    retry: quick,
    // An evacuation takes the lease from an older act. A failback waits until a dead run's lease expires, so
    // longer than LEASE_MS.
    waitsFor: { error: 'LeaseHeldError', attempts: 22, pauseMs: 2_000, maxPauseMs: 10_000 },
    whenItFails: { state: 'not-started', stops: true, nextCommand: 'spillway status' },
  },
  {
    step: 'refresh',
    purpose: 'Check that the evacuation is still wanted, and not done already.',
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
    // A switch's health check needs three failures in a row at 10 or 30 s.
    waitsFor: { error: 'DnsElsewhereError', attempts: 10, pauseMs: 3_000, maxPauseMs: 10_000 },
    whenItFails: { state: 'latched-dns-elsewhere', stops: false, nextCommand: 'spillway status --watch' },
  },
  {
    step: 'arrivals',
    purpose: 'See records arrive in the standby. Seeing none is not a failure: a cell may be idle.',
    timeoutMs: 20_000,
    retry: { attempts: 1, pauseMs: 2_000, maxPauseMs: 2_000 },
    whenItFails: { state: 'latched-arrivals-unknown', stops: false, nextCommand: 'spillway status --watch' },
  },
  {
    step: 'consumers',
    purpose:
      'See which consumers of the standby take up what arrives. One that is not seen is named; the run waits for none longer than a minute.',
    timeoutMs: 20_000,
    retry: { attempts: 1, pauseMs: 2_000, maxPauseMs: 2_000 },
    // Longer than CONSUMERS_WAIT_MS.
    waitsFor: { error: 'ConsumersNotSeenError', attempts: 12, pauseMs: 3_000, maxPauseMs: 10_000 },
    whenItFails: { state: 'latched-consumers-unknown', stops: false, nextCommand: 'spillway consumers' },
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
    purpose: 'Write the last journal entry and give the lease back.',
    timeoutMs: 10_000,
    retry: quick,
    whenItFails: { state: 'lease-kept', stops: false, nextCommand: 'spillway status' },
  },
] as const satisfies readonly ConductorStep[];

const resumed = 'spillway failback {groups} --reason "finish epoch {epoch}"';

/**
 * The steps of a failback, after the lease. `release` and `watch` alternate, stage by stage; `notify` and
 * `finish` end a failback as well.
 */
export const failbackSteps = [
  {
    step: 'failback-guards',
    purpose: 'Refuse unless K observers have seen the primary recovered for long enough.',
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
    purpose: 'While a stage settles, watch whether the primary degrades again.',
    timeoutMs: 15_000,
    retry: quick,
    whenItFails: { state: 'partly-failed-back', stops: true, nextCommand: resumed },
  },
  {
    step: 'take-back',
    purpose: 'If the primary degrades again, return to the standby what this failback has released.',
    timeoutMs: 30_000,
    retry: quick,
    whenItFails: { state: 'partly-failed-back', stops: true, nextCommand: finishCommand },
  },
] as const satisfies readonly ConductorStep[];

/** An end of a run that is not named by a failing step. */
export interface RunEnd {
  readonly state: string;
  readonly meaning: string;
  /** What to run next, if anything. */
  readonly nextCommand?: string;
}

/** An end that is not a failure: a guard that refuses has done its work. */
export const failbackRefused = {
  state: 'failback-refused',
  meaning: 'A guard refuses the failback, and says why. Nothing was moved.',
  nextCommand: 'spillway why',
} as const satisfies RunEnd;

export const runEnds: readonly RunEnd[] = [
  {
    state: 'latched',
    meaning: 'Every switch of the act holds its cells in the standby, and DNS names the standby.',
  },
  {
    state: 'no-longer-wanted',
    meaning:
      'DNS was back in the primary before any switch was set, and no person or drill had asked for the evacuation.',
    nextCommand: 'spillway why',
  },
  {
    state: 'failed-back',
    meaning: 'Every switch of the act is back in the primary, and DNS names the primary.',
  },
  failbackRefused,
  {
    state: 'released-dns-elsewhere',
    meaning:
      'Switches were released, but DNS has not followed to the primary, so no further stage was begun. Votes, or health checks that do not see the switches, hold those cells in the standby.',
    nextCommand: 'spillway status --watch; spillway doctor',
  },
  {
    state: 'failback-taken-back',
    meaning:
      'The primary degraded again during the failback, so what had been released is in the standby again.',
    nextCommand: 'spillway why',
  },
  {
    state: 'superseded',
    meaning: 'A newer act has begun, and covers every group that this act still had to move.',
    nextCommand: 'spillway status --watch',
  },
  {
    state: 'superseded-unfinished',
    meaning: 'A newer act has begun, but does not cover every group that this act still had to move.',
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

/**
 * Longest pause of a failback between two looks at the primary, so that a primary that degrades again is
 * noticed in time.
 */
export const MAX_WAIT_SECONDS = 30;
/**
 * Life of a lease that is not renewed. Each attempt of each step renews the lease, and so does each batch of
 * the latch; it outlasts the longest wait plus the slowest step with all its retries. Only a failback ever
 * waits for a lease to expire, and only if the run that held it has died: an evacuation takes the lease
 * immediately.
 */
export const LEASE_MS = 180_000;
/**
 * An evacuation that has not latched is started again after this time: under the same epoch, or, if a newer
 * act has fenced that epoch, under a new one. Two runs of one act do not harm each other, so the restart need
 * not wait for the first run to die.
 */
export const RESTART_MS = 120_000;

/**
 * The name of an act, the same for every execution that carries it out. It holds the lease, and prefixes
 * journal entries.
 */
export function runName(groups: readonly string[] | undefined, epoch: number): string {
  return `${scopeName(groups)}-${epoch}`;
}

function scopeName(groups: readonly string[] | undefined): string {
  if (groups === undefined) return 'all';
  const [only, ...others] = groups;
  return only !== undefined && others.length === 0 ? only : 'some';
}

/** An act that has begun, as known from the lease and from its claim of a number. */
export interface Act {
  /** Name of the act's run. */
  readonly holder: string;
  readonly epoch: number;
  /** Absent when the claim names no groups: acts about all groups, and older versions. */
  readonly groups?: readonly string[] | undefined;
}

/**
 * Whether an act is about a group. Where only the act's name is known, `some-7` is not taken to be about it.
 */
export function isAbout({ holder, epoch, groups }: Act, group: string): boolean {
  if (groups !== undefined) return groups.includes(group);
  return holder === runName(undefined, epoch) || holder === runName([group], epoch);
}

/**
 * The name of an execution. Step Functions accepts a name once in 90 days, so a repeated start has no effect.
 * A run that died is started again under the next attempt's name; run, lease and journal stay the same.
 */
export const executionName = (run: string, attempt: number): string =>
  attempt === 0 ? run : `${run}-retry-${attempt}`;

/** The attempt that is due now for an evacuation that this observer has voted for since `voteSinceMs`. */
export const attemptDue = (voteSinceMs: number, nowMs: number): number =>
  Math.max(0, Math.floor((nowMs - voteSinceMs) / RESTART_MS));

export interface EvacuationSight {
  readonly phase: Phase;
  readonly latch: Latch;
  readonly quorum: Quorum;
  readonly voteSinceMs: number | null;
}

/**
 * Whether the standby's observer has to start the conductor. A quorum is not enough, its own vote must be to
 * leave: inverted health checks begin unhealthy, so right after a deployment DNS names the standby without
 * any vote.
 */
export const evacuationDue = ({ phase, latch, quorum, voteSinceMs }: EvacuationSight): boolean =>
  phase === 'evacuating' && quorum === 'standby' && latch !== 'latched' && voteSinceMs !== null;

/**
 * Whether the observer has to ask how the others vote, because DNS has moved without its vote. It may be
 * sick, in its cooldown, or see the primary healthy; the quorum moved traffic all the same, and that move has
 * to be held.
 */
export const evacuationSuspected = ({
  phase,
  latch,
  quorum,
}: Omit<EvacuationSight, 'voteSinceMs'>): boolean =>
  phase !== 'evacuating' && quorum === 'standby' && latch !== 'latched';

/**
 * For this long after its start, a run that the quorum asked for does not believe that DNS is back in the
 * primary: the longest time a resolver keeps an answer, 60 s, and the 30 s between two looks of a health
 * check.
 */
export const SETTLED_MS = 90_000;

/**
 * For this long an evacuation waits for consumers of the standby to be seen, before it tells people: metrics of Lambda come a
 * minute or more after what they count.
 */
export const CONSUMERS_WAIT_MS = 60_000;

/** Most groups named: thousands of names would fit neither a message nor the cause of an execution. */
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
