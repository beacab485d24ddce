import { arrivedMs } from '../../lambda/core/arrival.ts';
import { LiveDrillError } from './errors.ts';
import type { DrillProducer, LiveDrillLimits, LiveDrillPlan, LiveDrillPorts } from './ports.ts';

/** One drill while it runs: what it has measured so far, and whether the cell may be away. */
export interface Trace {
  readonly plan: LiveDrillPlan;
  readonly ports: LiveDrillPorts;
  readonly limits: LiveDrillLimits;
  readonly producer: DrillProducer;
  readonly startedAtMs: number;
  /** True from just before the conductor is asked, because a lost answer may have been a yes. */
  mayBeAway: boolean;
  rtoMs: number | null;
  flipMs: number | null;
  latchedMs: number | null;
  readonly failures: string[];
}

/** Milliseconds from `fromMs` until the producer has settled in the region. */
export const settledMs = ({ producer }: Trace, region: string, fromMs: number): number | null =>
  arrivedMs(producer.acknowledged, { fromMs, region, producers: [producer.name] });

export const secondsOf = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/**
 * Calls `look` until it gives a result. `look` throws when there is nothing left to wait for.
 *
 * @throws LiveDrillError when time is up.
 */
export async function lookUntil(
  { ports, limits }: Pick<Trace, 'ports' | 'limits'>,
  { timeoutMs, look, otherwise }: { timeoutMs: number; look: () => Promise<boolean>; otherwise: string },
): Promise<void> {
  const deadlineMs = ports.nowMs() + timeoutMs;
  while (!(await look())) {
    if (ports.nowMs() >= deadlineMs) throw new LiveDrillError(`${otherwise} within ${secondsOf(timeoutMs)}`);
    await ports.sleep(limits.pollMs);
  }
}
