import type { MetricValues } from '../core/metrics.ts';
import { standbyIsDown } from '../core/monitor.ts';
import { levelsOf } from '../core/observation.ts';
import type { Policy } from '../core/policy.ts';
import type { TickResult } from './tick.ts';

/**
 * What a round says to CloudWatch in the observer's own region, where it is heard when the standby, with its alarms, is
 * down. Everything else about it is in what it stores, which the standby's monitor reads.
 */
export function tickMetrics(
  { memory, decidedAtMs }: Pick<TickResult, 'memory' | 'decidedAtMs'>,
  policy: Policy,
): MetricValues<'observer'> {
  const standby = levelsOf(memory.evidence.standby, policy, decidedAtMs);
  return { StandbyDown: Number(standbyIsDown(standby)) };
}
