import type { MetricValues } from '../core/metrics.ts';
import { standbyIsDown } from '../core/monitor.ts';
import { levelsOf } from '../core/observation.ts';
import type { Policy } from '../core/policy.ts';
import type { TickResult } from './tick.ts';

/**
 * The metrics of a round in the observer's own region, where they are seen even if the standby, with its
 * alarms, is down. All else about the round is in the stored item, which the standby's monitor reads.
 */
export function tickMetrics(
  { memory, decidedAtMs }: Pick<TickResult, 'memory' | 'decidedAtMs'>,
  policy: Policy,
): MetricValues<'observer'> {
  const standby = levelsOf(memory.evidence.standby, policy, decidedAtMs);
  return { StandbyDown: Number(standbyIsDown(standby)) };
}
