import { type Config, observerRegions } from '../config/config.ts';
import { UsageError } from '../operate/errors.ts';
import type { DrillTarget } from '../settings/drill.ts';

/** @throws UsageError when the config names no cell for drills. */
export function drillTargetOf(config: Config): DrillTarget {
  const { name, regions, zone, policy, delivery, drill } = config;
  const cell = config.cells.find((one) => one.name === drill?.cell);
  if (cell === undefined) {
    throw new UsageError(
      "The config names no cell for drills: add one without traffic, with drill: { cell: 'NAME' }, and deploy.",
    );
  }
  return {
    name,
    primary: regions.primary,
    standby: regions.standby,
    observers: [...observerRegions(regions)],
    zoneName: zone.name,
    cell: cell.name,
    group: cell.group,
    streams: { primary: cell.streams.primary.name, standby: cell.streams.standby.name },
    policy: { ...policy, siblingProbes: [...policy.siblingProbes] },
    producerPollMs: delivery.producerPollMs,
  };
}
