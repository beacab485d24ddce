import { FailbackRefusedError } from '../../lib/conductor/errors.ts';
import type { RunReport } from '../../lib/conductor/input.ts';
import { groupsOf } from '../../lib/settings/cells-file.ts';
import { type Act, failbackRefused, isAbout, type StepName, stepNamed } from '../core/conductor.ts';
import { groupsToLatch, type SwitchState } from '../core/conductor-latch.ts';
import { releasePlan } from '../core/failback.ts';
import { journalStep } from './act.ts';
import type { Conductor, Step } from './conductor.ts';
import {
  caughtOf,
  type EndedRun,
  ended,
  endedAs,
  epochsOf,
  newRun,
  type RunState,
  readRunState,
  reportOf,
  scopeOf,
  withFinding,
  withFindings,
} from './run-state.ts';

/** Tells people, once. A message that cannot be sent becomes a finding, and changes nothing else. */
export const notify: Step = async (state, conductor) => {
  const named = { ...state, state: reportOf(state).state };
  return { ...(await tell(named, 'notify', conductor)), next: 'finish' };
};

async function tell(state: RunState, step: string, conductor: Conductor): Promise<RunState> {
  if (await conductor.state.wasJournalled(`${state.run}#${step}`)) return state;
  const report = reportOf(state);
  const untold = await conductor.tell(report, textOf(state, report));
  await journalStep(state, { step, what: 'notify', after: { untold } }, conductor);
  return withFindings(state, untold);
}

/** Writes the last journal entry, and releases the lease. */
export async function finish(state: RunState, conductor: Conductor): Promise<EndedRun> {
  const { report } = ended(state);
  const what = `${state.input.action} ends: ${report.state}`;
  return leaving(state, conductor, async () => {
    await journalStep(state, { step: 'finish', what, after: report }, conductor);
    return ended(state);
  });
}

/** The report of a run whose last journal entry could not be written. It needs only the state. */
export const unfinished = (value: unknown): EndedRun => ended(readRunState(value));

/**
 * Releases the lease whether or not the last entries could be written. A lease that a newer act has taken is
 * left alone.
 */
async function leaving<T>(
  { run }: RunState,
  { state: table }: Conductor,
  lastWords: () => Promise<T>,
): Promise<T> {
  try {
    return await lastWords();
  } finally {
    await table.releaseLease(run);
  }
}

/**
 * Ends a run whose step could not finish. The journal gets the named state and the command that continues
 * from there. The value is the state of the run, or, when the lease itself failed, the input of the
 * execution.
 */
export async function fail(value: unknown, conductor: Conductor): Promise<EndedRun> {
  const before = stateOf(value, conductor.nowMs());
  // Guards also run before the lease is taken, and a refusal is not a failure to start.
  const next = isRefused(value) ? 'failback-guards' : before.next;
  const failed = withFinding(
    endedAs(before, isRefused(value) ? failbackRefused : stepNamed(next as StepName).whenItFails),
    `${next} failed: ${caughtOf(value) ?? 'no error was given'}`,
  );
  const report = reportOf(failed);
  return leaving(failed, conductor, async () => {
    const line = { step: `failed-${next}`, what: `stopped: ${report.state}`, after: report };
    await journalStep(failed, line, conductor);
    return ended(await tell(failed, `failed-${next}-notify`, conductor));
  });
}

/**
 * Ends a run that a newer act has overtaken. Reports which act, by whom, and whether it covers all that this
 * run still had to move.
 */
export async function superseded(value: unknown, conductor: Conductor): Promise<EndedRun> {
  const { nextCommand: _ofAnotherEnd, ...before } = stateOf(value, conductor.nowMs());
  const state: RunState = { ...before, state: 'superseded' };
  return leaving(state, conductor, async () => {
    const newer = await newerAct(state, conductor);
    const left = await leftBehind(state, newer, conductor);
    const told =
      newer === undefined
        ? withFindings(state, [caughtOf(value) ?? 'a newer act has begun', ...unmoved(left)])
        : withFinding(state, coverage(state, { newer, left, conductor }));
    const unfinished = left.length > 0;
    const last: RunState = unfinished ? { ...told, state: 'superseded-unfinished' } : told;
    const what = unfinished ? `stopped: ${last.state}` : 'superseded';
    await journalStep(last, { step: 'superseded', what, after: reportOf(last) }, conductor);
    return ended(unfinished ? await tell(last, 'superseded-notify', conductor) : last);
  });
}

interface NewerAct extends Act {
  readonly what: string;
  readonly who: string;
}

/** The act that has taken the lease; undefined unless its newer epoch has fenced this run in the lease. */
async function newerAct({ input }: RunState, { state: table }: Conductor): Promise<NewerAct | undefined> {
  const lease = await table.readLease();
  if (lease === undefined || lease.epoch <= input.epoch) return undefined;
  const { holder, epoch } = lease;
  const claim = await table.readClaim(epoch).catch(() => undefined);
  const { what = 'an act', who = 'somebody', groups } = claim ?? {};
  return { holder, epoch, what, who, groups };
}

/** Groups that this run still had to move and that the newer act is not about, as far as is known. */
async function leftBehind(
  { input }: RunState,
  newer: NewerAct | undefined,
  { state: table, cells }: Conductor,
): Promise<readonly string[]> {
  const switches = await table.readSwitches();
  const groups = scopeOf(input, groupsOf(cells));
  const left =
    input.action === 'evacuate'
      ? groupsToLatch({ ...epochsOf(input), groups, switches }).filter((group) => !holds(switches, group))
      : releasePlan({ groups, switches, epoch: input.epoch, percent: 100, stage: 0 }).release;
  // The newer act may not have reached its groups yet.
  return newer === undefined ? left : left.filter((group) => !isAbout(newer, group));
}

const MAX_NAMED = 10;

/** In words: `all-8 (failover by bob, epoch 8) has begun. It covers every group of this act.` */
function coverage(
  { input }: RunState,
  more: { readonly newer: NewerAct; readonly left: readonly string[]; readonly conductor: Conductor },
): string {
  const { newer, left, conductor } = more;
  const groups = scopeOf(input, groupsOf(conductor.cells));
  const others = groups.filter((group) => !isAbout(newer, group));
  const began = `${newer.holder} (${newer.what} by ${newer.who}, epoch ${newer.epoch}) has begun`;
  if (others.length === 0) return `${began}. It covers every group of this act`;
  const covered = `${began}. It covers ${groups.length - others.length} of ${groups.length} groups of this act`;
  if (left.length === 0) return `${covered}, and the others had been moved before: ${someOf(others)}`;
  return `${covered}, but not ${left.length} that were still to be moved: ${someOf(left)}`;
}

const unmoved = (left: readonly string[]): readonly string[] =>
  left.length === 0 ? [] : [`${left.length} groups were still to be moved: ${someOf(left)}`];

function someOf(groups: readonly string[]): string {
  const rest = groups.length - MAX_NAMED;
  return `${groups.slice(0, MAX_NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

const holds = (switches: readonly SwitchState[], group: string): boolean =>
  switches.some((one) => one.group === group && one.position === 'STANDBY');

const isRefused = (value: unknown): boolean =>
  caughtOf(value)?.startsWith(`${FailbackRefusedError.name}: `) === true;

function stateOf(value: unknown, nowMs: number): RunState {
  if (typeof value === 'object' && value !== null && 'run' in value) {
    const { error: _caught, ...rest } = value as Record<string, unknown>;
    return readRunState(rest);
  }
  const { error: _caught, ...input } = value as Record<string, unknown>;
  return newRun(input, nowMs);
}

function textOf({ input }: RunState, report: RunReport): string {
  const lines = [
    `Spillway: ${input.action} ${report.run} ends in state ${report.state}.`,
    `Asked for by ${input.owner}: ${input.reason}`,
    ...(report.latchedAtMs === undefined
      ? []
      : [`${report.latched} switches hold since ${new Date(report.latchedAtMs).toISOString()}.`]),
    ...report.findings.map((finding) => `- ${finding}`),
    ...(report.nextCommand === undefined ? [] : [`Next: ${report.nextCommand}`]),
  ];
  return lines.join('\n');
}
