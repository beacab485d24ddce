import { type AssumptionId, assumptions } from '../assumptions/assumptions.ts';
import { type ExperimentName, experimentNames, experiments } from '../assumptions/experiments.ts';
import { problemOf } from '../operate/reading.ts';
import type { Judgements, RunnableCheck } from './check.ts';
import { checks as allChecks } from './checks.ts';
import type { ProveContext } from './context.ts';
import { type Judgement, undecided } from './judgement.ts';

/** What became of one statement. */
export type ProvenRow = Judgement & {
  readonly id: AssumptionId;
  readonly statement: string;
  readonly source: 'doc' | 'inferred';
  readonly experiment?: ExperimentName;
  /** What the experiment showed in a local world. It says nothing about AWS. */
  readonly local?: Judgement;
};

export interface ProveOptions {
  readonly context: ProveContext;
  readonly only: ReadonlySet<AssumptionId>;
  /** Asks the guards; an experiment that touches anything runs only if there is no reason. */
  readonly refusals: () => Promise<readonly string[]>;
  /** For tests. */
  readonly checks?: Readonly<Record<ExperimentName, RunnableCheck>>;
}

/** Experiments that show one of these statements, in their order. */
export const experimentsFor = (only: ReadonlySet<AssumptionId>): readonly ExperimentName[] =>
  experimentNames.filter((name) =>
    assumptions.some(({ id, proof }) => only.has(id) && 'experiment' in proof && proof.experiment === name),
  );

/** Runs the experiments, one after the other, and says what became of each statement. Never throws. */
export async function prove(options: ProveOptions): Promise<readonly ProvenRow[]> {
  const { context, only } = options;
  const judged = new Map<AssumptionId, Judgement>();
  const reasons = new Map<ExperimentName, string>();
  for (const name of experimentsFor(only)) {
    const end = await outcome(name, options);
    if (typeof end === 'string') reasons.set(name, end);
    else for (const [id, judgement] of end) judged.set(id, judgement);
  }
  return assumptions
    .filter(({ id }) => only.has(id))
    .map(({ id, statement, source, proof }): ProvenRow => {
      const row = { id, statement, source: source === 'inferred' ? source : ('doc' as const) };
      if (!('experiment' in proof)) return { ...row, ...undecided(ofNone(proof.notProven, context)) };
      const { experiment } = proof;
      const judgement =
        judged.get(id) ?? undecided(reasons.get(experiment) ?? 'the experiment says nothing of it');
      if (context.world === undefined) return { ...row, experiment, ...judgement };
      const { limit, runs } = experiments[experiment].local;
      const local = runs ? { local: judgement } : {};
      return { ...row, experiment, ...undecided(limit), ...local };
    });
}

const ofNone = (why: string, { world }: ProveContext): string =>
  world === undefined ? why : `LocalStack cannot tell, and no experiment can: ${why}`;

/** What the experiment says of its statements, or why it says nothing. */
async function outcome(
  name: ExperimentName,
  { context, refusals, checks = allChecks }: ProveOptions,
): Promise<Judgements | string> {
  const { what, mostSeconds, touches, local } = experiments[name];
  if (context.world !== undefined && !local.runs) return local.limit;
  if (context.signal.aborted) return 'interrupted before it began';
  context.say(`${name}: ${what}`);
  const late = AbortSignal.timeout(mostSeconds * 1_000);
  try {
    if (touches) {
      const reasons = await refusals();
      if (reasons.length > 0 && !context.rehearsing) return `refused: ${reasons.join('; ')}`;
    }
    return await checks[name].run({ ...context, signal: AbortSignal.any([context.signal, late]) });
  } catch (error) {
    if (context.signal.aborted) return 'interrupted';
    return late.aborted ? `not done after ${mostSeconds} s` : `could not be carried out: ${problemOf(error)}`;
  }
}

export interface Counts {
  readonly confirmed: number;
  readonly refuted: number;
  readonly notRun: number;
}

export function countsOf(rows: readonly ProvenRow[]): Counts {
  const count = (verdict: ProvenRow['verdict']): number =>
    rows.filter((row) => row.verdict === verdict).length;
  return { confirmed: count('confirmed'), refuted: count('refuted'), notRun: count('not-run') };
}
