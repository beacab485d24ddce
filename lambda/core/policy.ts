/** Operating modes, from least to most autonomous. */
export const modes = ['observe', 'approve', 'auto'] as const;
export type Mode = (typeof modes)[number];
/** The mode of a cell beside the one that is in force for all: a cell's own mode only bounds it. */
export const leastAutonomous = (own: Mode | undefined, all: Mode): Mode =>
  own === undefined ? all : (modes[Math.min(modes.indexOf(own), modes.indexOf(all))] ?? all);

/** Services beside Kinesis and CloudWatch that may be probed in the primary, to tell an outage of theirs from one of Kinesis. */
export const siblingNames = ['cognito', 'lambda', 'sqs'] as const;
export type SiblingName = (typeof siblingNames)[number];

/**
 * What a quorum of producers that report failures may do. `probe`: probes of the stream decide where they are allowed,
 * and where they are not, somebody is paged. `move`: the quorum moves that cell. `ignore`: nothing.
 */
export const beaconPolicies = ['probe', 'move', 'ignore'] as const;
export type BeaconPolicy = (typeof beaconPolicies)[number];

/**
 * Everything the decision depends on that an operator may choose.
 * Defaults and ranges live in `lib/config`; relations between the values (K of N, RTO budget) are checked at load.
 */
export interface Policy {
  /** Mode in force while no control item says otherwise. */
  readonly mode: Mode;
  /** K: how many of the N observers must vote EVACUATE before DNS moves. */
  readonly votesToEvacuate: number;
  /** Time between two rounds of probes of one observer. */
  readonly tickMs: number;
  /** Longest wait for one probe call. An answer later than this is a time-out. */
  readonly probeTimeoutMs: number;
  /**
   * Canary records an observer puts in each round, each a call of its own: they reach different front ends. An
   * observer that suspects something puts up to ten.
   */
  readonly putsPerRound: number;
  /** CloudWatch, control-plane and sibling probes run on every n-th tick: they inform, they do not move traffic, and they cost. */
  readonly slowProbeEveryTicks: number;
  /** Services probed beside Kinesis and CloudWatch, in the primary. */
  readonly siblingProbes: readonly SiblingName[];
  /** A stored vote is served this long; past it, it reads HOLD. */
  readonly voteTtlMs: number;
  /** A failure that is over sooner than this is a blip, however complete it was. */
  readonly blipMs: number;
  /**
   * An actionable diagnosis must stand this long before it becomes a vote. 0 = immediately (the evidence is
   * already sequential).
   */
  readonly holdMs: number;
  /** The primary must have been healthy this long before an EVACUATE vote may clear. */
  readonly recoveryMs: number;
  /** After an evacuation ended, no new one for this long. */
  readonly cooldownMs: number;
  /** Failure fraction of a healthy region's probes (null hypothesis). */
  readonly baselineFailureRate: number;
  /** Failure fraction that must be found quickly (alternative). */
  readonly impairedFailureRate: number;
  /**
   * Least gain for which traffic moves: how much larger the failing fraction of the primary's puts must be than
   * that of the standby's.
   */
  readonly minimumGain: number;
  readonly beacons: BeaconPolicy;
  /** Budget: expected false `down` per signal, observer and year. */
  readonly falseAlarmsPerYear: number;
  /** A put is slow above this multiple of the 99th percentile learnt in healthy times… */
  readonly slowFactor: number;
  /** …and above this many milliseconds. */
  readonly slowFloorMs: number;
}

/**
 * When a primary that has looked healthy since then counts as recovered, if it goes on so: for the vote of an observer,
 * and for the guards of a failback.
 */
export const recoveredAtMs = (healthySinceMs: number, { recoveryMs }: Pick<Policy, 'recoveryMs'>): number =>
  healthySinceMs + recoveryMs;

/** The timing of the path outside the observers; it decides, with the policy, whether an RTO can be kept. */
export interface Delivery {
  /** Route 53 request interval: 10 or 30. */
  readonly healthCheckIntervalSeconds: 10 | 30;
  /** TTL of the signal and service records, at most 60. */
  readonly dnsTtlSeconds: number;
  /** How often a producer asks for the signal. */
  readonly producerPollMs: number;
  /** The recovery time asked for. */
  readonly rtoMs: number;
  /** Units of Lambda concurrency that the switch endpoint reserves, at least. */
  readonly switchConcurrency: number;
}
