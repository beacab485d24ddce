import type { ConsumerSpec } from '../../lambda/core/consumers.ts';
import type { Delivery, Mode, Policy } from '../../lambda/core/policy.ts';
import type { ProbeMode } from '../../lambda/core/watched-cells.ts';
import type { DrillSchedule } from './drill-schedule.ts';

/** A loaded configuration: defaults applied, relations checked. What a user writes is `ConfigInput` in `schema.ts`. */
export interface Config {
  /** Prefix of every physical name: lower case letters, digits and hyphens, at most 20 characters. */
  readonly name: string;
  readonly regions: Regions;
  /** The public hosted zone that holds the signals; it exists already. */
  readonly zone: Zone;
  readonly cells: readonly Cell[];
  readonly policy: Policy;
  readonly delivery: Delivery;
  /** Route 53 health checks this account may have (200 unless raised). */
  readonly healthCheckQuota: number;
  /** Absent: there is no cell that may be moved for a drill. */
  readonly drill?: Drill;
  /** Stacks that cells are spread over by their names; absent = one, or 32 when one does not hold them. */
  readonly cellStacks?: number;
  /** Groups that have a check although no cell follows it. */
  readonly keepGroups?: readonly string[];
  readonly notify: Notify;
  readonly monitoring: Monitoring;
  /** Absent: producers have no table in which to report. */
  readonly beacons?: Beacons;
}

/** The table in which producers report how their own writes fare. */
export interface Beacons {
  /** Beacons expected at the same time, for the estimate of what they cost. */
  readonly sources: number;
}

/** The cell that drills move through the real path. */
export interface Drill {
  /** A cell without traffic, whose switch is its own. */
  readonly cell: string;
  readonly schedule: DrillSchedule;
}

/** Who is told of evacuations, failbacks and alarms, beside those who subscribe to the topic themselves. */
export interface Notify {
  readonly email?: string;
  /**
   * URL that gets a JSON object by POST. The URL is in the conductor's settings: whoever may read the
   * settings may read the URL.
   */
  readonly webhook?: string;
}

/** When the alarms fire, and whether there is a dashboard. */
export interface Monitoring {
  /** A dashboard in the standby, which costs $3 a month beyond an account's first three. */
  readonly dashboard: boolean;
  readonly observerSilentMinutes: number;
  readonly standbyUnfitMinutes: number;
  readonly votesDisagreeMinutes: number;
  readonly pauseForgottenHours: number;
  /** Absent: no such alarm, because no drills are asked for, or only by hand. */
  readonly drillOverdueDays?: number;
}

export interface Zone {
  readonly id: string;
  readonly name: string;
  /** Whether `region.<zone>`, from before version 0.2, stays. One deployment in a zone may have it. */
  readonly keepRegionRecord?: boolean;
}

export interface Regions {
  readonly primary: string;
  readonly standby: string;
  /** Together with the standby, the N regions that observe and vote. */
  readonly witnesses: readonly string[];
  /** Regions in which, by the owner's word, AWS has what the list of regions does not know of. */
  readonly confirmed?: readonly string[] | undefined;
}

/** One workload that moves as a unit. */
export interface Cell {
  /** A DNS label. */
  readonly name: string;
  /** Cells of one group share one switch and so move back together; by default a cell is its own group. */
  readonly group: string;
  readonly streams: { readonly primary: StreamSpec; readonly standby: StreamSpec };
  /** Whether observers may put marked records into these streams. */
  readonly probe: ProbeMode;
  /** The most that moves of this cell alone may do by themselves; absent = as the policy says. */
  readonly mode?: Mode;
  readonly services: readonly ServiceName[];
  /** What reads the streams; absent = the owner has not said. */
  readonly consumers?: readonly ConsumerSpec[];
}

export interface StreamSpec {
  readonly name: string;
  /** Of an existing stream that is named by its ARN, as it is in another account. */
  readonly arn?: string;
  /** False: the stream exists and is the user's own; Spillway never touches it. */
  readonly create: boolean;
  /** Shards of a created provisioned stream; absent = on demand. */
  readonly shards?: number;
  /** ARN of the customer-managed key that encrypts the stream; absent = a key of Kinesis, which everybody may use. */
  readonly kmsKeyArn?: string;
}

/** Whether a stream of the cell is named by its ARN: Spillway's own roles have no rights there but what its owner grants. */
export const hasForeignStream = ({ streams }: Pick<Cell, 'streams'>): boolean =>
  streams.primary.arn !== undefined || streams.standby.arn !== undefined;

/** A stream as calls name it: its ARN where it has one, else its name. See `streamField`. */
export const streamReference = ({ name, arn }: StreamSpec): string => arn ?? name;

/** A name of the user's service that follows the same tree as the signal. */
export interface ServiceName {
  /** Relative to the zone, for example `api.orders`. */
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'CNAME';
  readonly primary: readonly string[];
  readonly standby: readonly string[];
}

/** The N observers: every region but the primary. */
export function observerRegions(regions: Regions): readonly string[] {
  return [regions.standby, ...regions.witnesses];
}
