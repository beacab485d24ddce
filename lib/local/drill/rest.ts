import { setTimeout as sleep } from 'node:timers/promises';
import { observerRegions } from '../../config/config.ts';
import { checkLabel } from './check-label.ts';
import type { DrillOptions } from './drill-options.ts';
import type { ProducerFleet } from './producers.ts';
import { until } from './until.ts';
import type { Watching } from './watch.ts';
import type { World } from './world.ts';

/** Health checks need some intervals to settle, and observers some ticks. */
const READY_TIMEOUT_MS = 180_000;
const PRODUCERS_READY_TIMEOUT_MS = 30_000;
/** How long traffic is watched before the faults begin. */
const WARM_UP_MS = 5_000;

/**
 * Waits until the system is at rest before the faults begin: all observers Healthy, checks settled, DNS
 * naming the primary.
 */
export async function ready(
  world: World,
  watching: Watching,
  { onProgress, signal }: Pick<DrillOptions, 'onProgress' | 'signal'>,
): Promise<void> {
  onProgress('waiting for the observers’ first rounds (later rounds are started by an Events rule)');
  const { config, calls, dataPlane } = world;
  const missing = (): string[] => [
    ...observerRegions(config.regions).filter((region) => {
      const item = watching.observers.get(region);
      const content = item?.diagnosis === 'Healthy' && item.expiresAtMs > Date.now();
      return !content || !calls.hasFrom(region);
    }),
    ...dataPlane
      .healthChecks()
      .flatMap((status) => (status.healthy ? [] : [`check ${checkLabel(status, config)}`])),
    ...config.cells.flatMap(({ name }) =>
      watching.answers.get(name) === config.regions.primary ? [] : [`signal of ${name}`],
    ),
  ];
  await until({
    what: 'observers, health checks and DNS to be at rest',
    timeoutMs: READY_TIMEOUT_MS,
    everyMs: 250,
    holds: () => missing().length === 0,
    missing: () => missing().join(', '),
    signal,
  });
}

/** Waits for the first acknowledged record of every producer, and a little longer. */
export async function firstPuts(world: World, fleet: ProducerFleet, signal: AbortSignal): Promise<void> {
  const { primary } = world.config.regions;
  await until({
    what: 'every producer to be acknowledged in the primary',
    timeoutMs: PRODUCERS_READY_TIMEOUT_MS,
    everyMs: 250,
    holds: () =>
      fleet.names.every((name) =>
        fleet.acknowledgements.some((ack) => ack.producer === name && ack.region === primary),
      ),
    signal,
  });
  await sleep(WARM_UP_MS, undefined, { signal });
}
