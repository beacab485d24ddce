import { nextCommand, type StepName, stepNamed } from '../core/conductor.ts';
import { journalStep } from './act.ts';
import type { Conductor, Step } from './conductor.ts';
import type { RunReport } from './input.ts';
import {
  caughtOf,
  newRun,
  type RunState,
  readRunState,
  reportOf,
  withFinding,
  withFindings,
} from './run-state.ts';

/** Tells people, once. A message that cannot be sent is a finding, and changes nothing else. */
export const notify: Step = async (state, conductor) => {
  const ended = { ...state, state: state.state ?? endOf(state) };
  return { ...(await tell(ended, 'notify', conductor)), next: 'finish' };
};

const endOf = ({ input }: RunState): string => (input.action === 'evacuate' ? 'latched' : 'failed-back');

async function tell(state: RunState, step: string, conductor: Conductor): Promise<RunState> {
  if (await conductor.state.wasJournalled(`${state.run}#${step}`)) return state;
  const report = reportOf(state);
  const untold = await conductor.tell(report, textOf(state, report));
  await journalStep(state, { step, what: 'notify', after: { untold } }, conductor);
  return withFindings(state, untold);
}

/** The last line, and the lease back. */
export const finish: Step = async (state, conductor) => {
  const report = reportOf(state);
  const what = `${state.input.action} ends: ${report.state}`;
  await journalStep(state, { step: 'finish', what, after: report }, conductor);
  await conductor.state.releaseLease(state.run);
  return state;
};

/**
 * A step could not finish. The journal gets the named state and the command that goes on from there. The value is the
 * state of the run, or, when the lease itself failed, what the execution was started with.
 */
export async function fail(value: unknown, conductor: Conductor): Promise<RunState> {
  const before = stateOf(value, conductor.nowMs());
  const { whenItFails } = stepNamed(before.next as StepName);
  const { epoch, groups } = before.input;
  const failed = withFinding(
    {
      ...before,
      state: whenItFails.state,
      nextCommand: nextCommand(whenItFails.nextCommand, { epoch, groups }),
    },
    `${before.next} failed: ${caughtOf(value) ?? 'no error was given'}`,
  );
  return endBadly(failed, `failed-${before.next}`, conductor);
}

/** A newer act has begun. It says how things are now; this run has nothing to add. */
export async function superseded(value: unknown, conductor: Conductor): Promise<RunState> {
  const before = stateOf(value, conductor.nowMs());
  const ended = withFinding({ ...before, state: 'superseded' }, caughtOf(value) ?? 'a newer act has begun');
  const report = reportOf(ended);
  await journalStep(ended, { step: 'superseded', what: 'superseded', after: report }, conductor);
  return ended;
}

async function endBadly(state: RunState, step: string, conductor: Conductor): Promise<RunState> {
  const report = reportOf(state);
  await journalStep(state, { step, what: `stopped: ${report.state}`, after: report }, conductor);
  const told = await tell(state, `${step}-notify`, conductor);
  await conductor.state.releaseLease(state.run);
  return told;
}

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
