import { z } from 'zod';
import { beaconPolicies, modes, type Policy, siblingNames } from '../../lambda/core/policy.ts';
import { parseSettings } from './variables.ts';

/** Environment variable that carries the settings, as JSON, written by the stacks. */
export const OBSERVER_SETTINGS = 'SPILLWAY_OBSERVER';
/** Environment variable with DNS servers, `address:port` separated by commas. Not set in an account: Lambda's own resolver. */
export const DNS_SERVERS = 'SPILLWAY_DNS_SERVERS';

/**
 * The settings of one deployed observer. Names of streams and tables follow from `name` (see
 * `core/names.ts`).
 */
export interface ObserverSettings {
  readonly name: string;
  /** The observer's own region. */
  readonly region: string;
  readonly primary: string;
  readonly standby: string;
  /** The hosted zone's name: `region.<name>.<zone>` tells what the quorum says. */
  readonly zoneName: string;
  /** ARN of the conductor, in the standby's observer alone, which starts the conductor. */
  readonly conductorArn?: string | undefined;
  /**
   * Regions of the other observers, in the standby's observer alone: their votes help to decide whether to
   * start the conductor.
   */
  readonly witnesses?: readonly string[] | undefined;
  /** Where in a tick this observer's rounds begin, from 0 to below 1: each observer has its own phase. */
  readonly phase?: number | undefined;
  /** Whether there is a table of beacons, in the standby. */
  readonly beacons?: boolean | undefined;
  readonly policy: Policy;
}

export const policySchema = z.object({
  mode: z.enum(modes),
  votesToEvacuate: z.number().int().positive(),
  tickMs: z.number().int().positive(),
  probeTimeoutMs: z.number().int().positive(),
  putsPerRound: z.number().int().positive(),
  slowProbeEveryTicks: z.number().int().positive(),
  siblingProbes: z.array(z.enum(siblingNames)),
  voteTtlMs: z.number().int().positive(),
  blipMs: z.number().int().nonnegative(),
  holdMs: z.number().int().nonnegative(),
  recoveryMs: z.number().int().nonnegative(),
  cooldownMs: z.number().int().nonnegative(),
  baselineFailureRate: z.number().gt(0).lt(1),
  impairedFailureRate: z.number().gt(0).lt(1),
  minimumGain: z.number().gt(0).lt(1),
  beacons: z.enum(beaconPolicies),
  falseAlarmsPerYear: z.number().positive(),
  slowFactor: z.number().min(1),
  slowFloorMs: z.number().positive(),
}) satisfies z.ZodType<Policy>;

const settingsSchema = z.object({
  name: z.string().min(1),
  region: z.string().min(1),
  primary: z.string().min(1),
  standby: z.string().min(1),
  zoneName: z.string().min(1),
  conductorArn: z.string().min(1).optional(),
  witnesses: z.array(z.string().min(1)).optional(),
  phase: z.number().min(0).lt(1).optional(),
  beacons: z.boolean().optional(),
  policy: policySchema,
}) satisfies z.ZodType<ObserverSettings>;

/** @throws SettingsError when the variable is not what the stacks write. */
export const parseObserverSettings = (text: string): ObserverSettings =>
  parseSettings(text, { variable: OBSERVER_SETTINGS, schema: settingsSchema });
