import { z } from 'zod';
import { type Config, observerRegions } from '../config/config.ts';
import { UsageError } from '../operate/errors.ts';
import { policySchema } from '../settings/observer.ts';

/** What a drill has to know of a deployment; for the function, as JSON in an environment variable. */
export const drillTargetSchema = z.object({
  name: z.string().min(1),
  primary: z.string().min(1),
  standby: z.string().min(1),
  /** Every region that observes, the standby among them. */
  observers: z.array(z.string().min(1)).min(1),
  zoneName: z.string().min(1),
  cell: z.string().min(1),
  group: z.string().min(1),
  streams: z.object({ primary: z.string().min(1), standby: z.string().min(1) }),
  policy: policySchema,
  /** How often the drill's producer asks for the signal, as applications do. */
  producerPollMs: z.number().int().positive(),
});
export type DrillTarget = Readonly<z.infer<typeof drillTargetSchema>>;

/** @throws UsageError when the config names no cell for drills. */
export function drillTargetOf(config: Config): DrillTarget {
  const { name, regions, zone, policy, delivery, drill } = config;
  const cell = config.cells.find((one) => one.name === drill?.cell);
  if (cell === undefined) {
    throw new UsageError(
      "The config names no cell for drills: add one without traffic, with drill: { cell: 'NAME' }, and deploy it.",
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
