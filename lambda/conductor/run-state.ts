import { z } from 'zod';
import { ConductorInputError } from '../../lib/conductor/errors.ts';
import { type ConductorInput, conductorInputSchema, type RunReport } from '../../lib/conductor/input.ts';
import { nextCommand, runEnds, runName, type StepName, stepNamed } from '../core/conductor.ts';

const batch = z.object({ from: z.number().int().nonnegative(), to: z.number().int().positive() });

/**
 * The state that the machine carries from step to step. It stays small: it never contains the names of
 * thousands of groups.
 */
const runStateSchema = z.object({
  input: conductorInputSchema,
  run: z.string(),
  startedAtMs: z.number(),
  /** The next step; when a step fails, the one that failed. */
  next: z.string(),
  /** Switches of this run's groups that are where they should be. */
  latched: z.number(),
  latchedAtMs: z.number().optional(),
  batches: z.array(batch).optional(),
  /** Stage of a failback. */
  stage: z.number(),
  watchUntilMs: z.number().optional(),
  /** Since when, during a failback, too few to move anything have accused the primary. */
  minoritySinceMs: z.number().optional(),
  /** Time at which DNS was last seen to follow in this stage. */
  dnsAtMs: z.number().optional(),
  dnsStage: z.number().optional(),
  /** Streams of the standby in which records were seen to arrive, and when that was. */
  arrived: z.array(z.string()).optional(),
  arrivedAtMs: z.number().optional(),
  waitSeconds: z.number(),
  /** Sentences for people. */
  findings: z.array(z.string()),
  /** How the run ended, or which step failed without stopping it. */
  state: z.string().optional(),
  nextCommand: z.string().optional(),
});
export type RunState = Readonly<z.infer<typeof runStateSchema>>;

/** The data that a `Catch` of the state machine adds. */
const caughtSchema = z.object({ Error: z.string(), Cause: z.string().optional() });

const MAX_FINDINGS = 30;
const MAX_FINDING_LENGTH = 400;

/** @throws ConductorInputError when the execution was started with something else than `ConductorStart`. */
export function newRun(input: unknown, startedAtMs: number): RunState {
  const parsed = conductorInputSchema.safeParse(input);
  if (!parsed.success) {
    throw new ConductorInputError(`Not an input of the conductor: ${z.prettifyError(parsed.error)}`);
  }
  const { groups, epoch } = parsed.data;
  return {
    input: parsed.data,
    run: runName(groups, epoch),
    startedAtMs,
    next: 'lease',
    latched: 0,
    stage: 0,
    waitSeconds: 10,
    findings: [],
  };
}

/** Reads the state as the machine passed it. The failure of a step that does not stop the run becomes a finding. */
export function readRunState(value: unknown): RunState {
  const parsed = runStateSchema.safeParse(value);
  if (!parsed.success) throw new ConductorInputError(`Not a state of the conductor: ${parsed.error.message}`);
  const caught = caughtOf(value);
  if (caught === undefined) return parsed.data;
  const state = withFinding(parsed.data, `${parsed.data.next} failed: ${caught}`);
  // The first failure names the end: a later one, such as of a message, is only one more finding.
  return state.state === undefined
    ? endedAs(state, stepNamed(parsed.data.next as StepName).whenItFails)
    : state;
}

/** The state with the name of its end, and what to run next. */
export function endedAs(
  state: RunState,
  end: { readonly state: string; readonly nextCommand: string },
): RunState {
  const { epoch, groups } = state.input;
  return { ...state, state: end.state, nextCommand: nextCommand(end.nextCommand, { epoch, groups }) };
}

/** The sentence of the error that a `Catch` has put beside the state. */
export function caughtOf(value: unknown): string | undefined {
  const error = typeof value === 'object' && value !== null && 'error' in value ? value.error : undefined;
  const parsed = caughtSchema.safeParse(error);
  if (!parsed.success) return undefined;
  return `${parsed.data.Error}: ${causeOf(parsed.data.Cause)}`;
}

function causeOf(cause: string | undefined): string {
  if (cause === undefined) return 'no cause given';
  try {
    const parsed: unknown = JSON.parse(cause);
    const message = z.object({ errorMessage: z.string() }).safeParse(parsed);
    return message.success ? message.data.errorMessage : cause;
  } catch {
    return cause;
  }
}

export function withFinding(state: RunState, finding: string): RunState {
  const short = finding.slice(0, MAX_FINDING_LENGTH);
  if (state.findings.includes(short) || state.findings.length >= MAX_FINDINGS) return state;
  return { ...state, findings: [...state.findings, short] };
}

export const withFindings = (state: RunState, findings: readonly string[]): RunState =>
  findings.reduce(withFinding, state);

/** Groups that this run is about, in the order in which batches are cut. */
export const scopeOf = (input: ConductorInput, groups: readonly string[]): readonly string[] =>
  input.groups === undefined ? groups : input.groups.toSorted();

/** The epochs of an evacuation that `groupsToLatch` compares switches with. */
export const epochsOf = (
  input: ConductorInput,
): { readonly epoch: number; readonly sinceEpoch: number | undefined } => ({
  epoch: input.epoch,
  sinceEpoch: input.action === 'evacuate' ? input.sinceEpoch : undefined,
});

/** A run that is over. The machine takes `report` as its output. */
export type EndedRun = RunState & { readonly report: RunReport };

export const ended = (state: RunState): EndedRun => ({ ...state, report: reportOf(state) });

export function reportOf(state: RunState): RunReport {
  const { run, startedAtMs, latched, latchedAtMs, dnsAtMs, findings } = state;
  const end = state.state ?? (state.input.action === 'evacuate' ? 'latched' : 'failed-back');
  const known = runEnds.find((one) => one.state === end)?.nextCommand;
  const next = state.nextCommand ?? (known === undefined ? undefined : nextCommand(known, state.input));
  return {
    run,
    epoch: state.input.epoch,
    action: state.input.action,
    state: end,
    startedAtMs,
    ...(latchedAtMs === undefined ? {} : { latchedAtMs }),
    latched,
    ...(dnsAtMs === undefined ? {} : { dnsAtMs }),
    findings,
    ...(next === undefined ? {} : { nextCommand: next }),
  };
}
