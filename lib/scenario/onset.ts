import type { Scenario } from './schema.ts';

/** When the first fault or lie begins, from t = 0: a scenario has at least one of either. */
export const onsetMs = ({ faults, lies = [] }: Pick<Scenario, 'faults' | 'lies'>): number =>
  Math.min(...[...faults, ...lies].map(({ atMs }) => atMs));
