import type { Delivery, Policy } from '../../lambda/core/policy.ts';
import type { Monitoring, Regions } from './config.ts';
import type { DrillSchedule } from './drill-schedule.ts';

const MINUTE_MS = 60_000;

/** Three observers outside the primary: the standby, one more in the east, and one on another continent. */
export const defaultRegions: Regions = {
  primary: 'us-east-1',
  standby: 'us-west-2',
  witnesses: ['us-east-2', 'eu-west-1'],
};

/** A majority: no observer moves traffic alone, and one may be missing. */
export const defaultVotesToEvacuate = (observers: number): number => Math.floor(observers / 2) + 1;

export const defaultPolicy: Omit<Policy, 'votesToEvacuate'> = {
  mode: 'auto',
  tickMs: 5_000,
  probeTimeoutMs: 2_000,
  putsPerRound: 5,
  slowProbeEveryTicks: 24,
  siblingProbes: [],
  voteTtlMs: 30_000,
  blipMs: 10_000,
  holdMs: 0,
  recoveryMs: 15 * MINUTE_MS,
  cooldownMs: 30 * MINUTE_MS,
  baselineFailureRate: 0.001,
  impairedFailureRate: 0.3,
  minimumGain: 0.2,
  beacons: 'probe',
  falseAlarmsPerYear: 0.01,
  slowFactor: 4,
  slowFloorMs: 250,
};

export const defaultDelivery: Delivery = {
  healthCheckIntervalSeconds: 10,
  dnsTtlSeconds: 5,
  producerPollMs: 2_000,
  rtoMs: MINUTE_MS,
  // A tenth of an account's usual 1,000: a flood of 1,000 requests a second loses none of them (lib/endpoint/flood.ts).
  switchConcurrency: 100,
};

/** Only `spillway cost` depends on it: what the beacons cost depends on who sends them. */
export const defaultBeaconSources = 100;

export const defaultMonitoring: Monitoring = {
  dashboard: true,
  observerSilentMinutes: 3,
  standbyUnfitMinutes: 5,
  votesDisagreeMinutes: 10,
  pauseForgottenHours: 4,
};

/** Days between two scheduled drills. */
export const DRILL_EVERY_DAYS = 7;
/**
 * A scheduled drill is overdue when it is a day late. Without a schedule no drill is overdue, unless the
 * config says after how many days.
 */
export const defaultDrillOverdueDays = DRILL_EVERY_DAYS + 1;

/** The default is weekly, because whoever names a cell for drills wants drills. */
export const defaultDrillSchedule: DrillSchedule = 'weekly';

/** Route 53: "Health checks: 200 per account", adjustable ("Quotas on health checks", Amazon Route 53 Developer Guide). */
export const defaultHealthCheckQuota = 200;
