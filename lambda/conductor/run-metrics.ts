import { failbackRefused } from '../core/conductor.ts';
import type { MetricValues } from '../core/metrics.ts';
import type { RunState } from './run-state.ts';

/** Steps that are the last of a run. */
const lastSteps = new Set<unknown>(['finish', 'unfinished', 'fail', 'superseded']);
/**
 * Ends after which nobody has to do anything: what is left after `superseded` is the newer run's affair, and who asked for a
 * failback that is refused has been told so.
 */
const quietEnds = new Set<string>([
  'latched',
  'no-longer-wanted',
  'failed-back',
  failbackRefused.state,
  'superseded',
]);

/** What the end of a run says to CloudWatch; undefined for a step that is not the end. */
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
