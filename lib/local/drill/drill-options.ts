import type { Config } from '../../config/config.ts';
import type { Scenario } from '../../scenario/schema.ts';
import type { ForeignClientName } from '../clients/foreign-client.ts';
import type { DrillEvent } from './events.ts';
import type { FloodPlan } from './flood.ts';
import type { DrillResult } from './result.ts';
import type { World } from './world.ts';

export interface DrillOptions {
  readonly config: Config;
  readonly scenario: Scenario;
  /** The drill ends after this much of the scenario. */
  readonly forMs: number;
  readonly directory: string;
  readonly seed: number;
  readonly random: () => number;
  /** An observer to kill when the faults begin, by region. */
  readonly killObserver?: string;
  /** After the failover: the faults end, and an operator fails back. */
  readonly failback: boolean;
  /**
   * After the failover, an operator asks for a failover too, so that the operator's calls are audited as
   * well.
   */
  readonly operatorFailsOver: boolean;
  /** After the scenario, an operator fails over, and the switch endpoint is flooded. */
  readonly flood?: FloodPlan;
  /** A client that is not ours writes through sidecars, in place of the producers. */
  readonly client?: ForeignClientName;
  readonly onEvent: (event: DrillEvent) => void;
  readonly onProgress: (text: string) => void;
  /** Called with the time of the fault when the fault starts. */
  readonly onFault: (atMs: number) => void;
  /** Called after the result, while the world still stands; aborted when it cannot stand any longer. */
  readonly beforeClose: (world: World, result: DrillResult, after: AfterDrill) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface AfterDrill {
  /** When the scenario's t = 0 was; undefined when its faults have been ended since. */
  readonly playingSinceMs: number | undefined;
  readonly signal: AbortSignal;
}
