import type { AssumptionId, ProvenBy } from '../assumptions/assumptions.ts';
import type { ExperimentName } from '../assumptions/experiments.ts';
import type { ProveContext } from './context.ts';
import type { Judgement } from './judgement.ts';

export type Judgements = ReadonlyMap<AssumptionId, Judgement>;

/** One experiment: it observes through a thin port, and pure judges say what that means for each statement. */
export interface Check<Name extends ExperimentName, Seen> {
  readonly observe: (context: ProveContext) => Promise<Seen>;
  readonly judges: { readonly [Id in ProvenBy<Name>]: (seen: Seen) => Judgement };
}

/** A check whose observation nobody else looks at. */
export interface RunnableCheck {
  /** @throws what the experiment throws: then none of its statements is judged. */
  readonly run: (context: ProveContext) => Promise<Judgements>;
}

export const runnable = <Name extends ExperimentName, Seen>({
  observe,
  judges,
}: Check<Name, Seen>): RunnableCheck => ({
  run: async (context) => {
    const seen = await observe(context);
    const list = Object.entries(judges) as [AssumptionId, (seen: Seen) => Judgement][];
    return new Map(list.map(([id, judge]) => [id, judge(seen)]));
  },
});
