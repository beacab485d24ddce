import type { Delivery, Policy } from '../../lambda/core/policy.ts';
import type { Regions } from '../config/config.ts';

/** What is simulated: a config without its names. */
export interface SimulatedSystem {
  readonly regions: Regions;
  readonly policy: Policy;
  readonly delivery: Delivery;
}
