import { failbackRefused } from '../core/conductor.ts';
import type { MetricValues } from '../core/metrics.ts';
import type { RunState } from './run-state.ts';

/** The last steps that a run can have. */
const lastSteps = new Set<unknown>(['finish', 'unfinished', 'fail', 'superseded']);
/**
 * Ends after which nobody has to act: after `superseded` the newer run handles the rest, and the person who
 * asked for a refused failback has been told.
 */
const quietEnds = new Set<string>([
  'latched',
  'no-longer-wanted',
  'failed-back',
  failbackRefused.state,
  'superseded',
]);

/** The metrics of a run's end; undefined for a step that is not the end. */
export function runMetrics(
  step: unknown,
  state: RunState | undefined,
): MetricValues<'conductor'> | undefined {
  if (state === undefined || !lastSteps.has(step)) return undefined;
  const { input, latchedAtMs, startedAtMs } = state;
  const end = state.state ?? 'latched';
  return {
    RunsNeedingAct: Number(!quietEnds.has(end)),
    LatchTime:
      input.action === 'evacuate' && latchedAtMs !== undefined ? latchedAtMs - startedAtMs : undefined,
  };
}
