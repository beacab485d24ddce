import type { Scenario } from './schema.ts';

/** When the first fault begins, from t = 0; of a scenario in which nothing fails, the first lie. */
export const onsetMs = ({ faults, lies = [] }: Pick<Scenario, 'faults' | 'lies'>): number =>
  Math.min(...(faults.length > 0 ? faults : lies).map(({ atMs }) => atMs));
