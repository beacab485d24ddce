import type { ErrorClass } from './probe.ts';

/**
 * A beacon: what one producer process reports about one stream, in one item of the table of beacons. The producer
 * writes it and the observers read it; this file ships with the producer, so it needs nothing but itself.
 */
export interface Beacon {
  /** The partition key: the `aws:userid` of the writer, under which IAM lets nobody else write. */
  readonly source: string;
  readonly process: string;
  readonly stream: string;
  /** Grows with each beacon of a process and stream. */
  readonly sequence: number;
  readonly atMs: number;
  /** The next beacon is written within this time. */
  readonly intervalMs: number;
  /** How late the event loop of the process ran at worst since its last beacon. */
  readonly lagMs: number;
  /** What fails together: an availability zone, or a host. */
  readonly domain: string;
  readonly trouble: boolean;
  /** What the process lately put, by region. */
  readonly regions: Readonly<Record<string, RegionTally>>;
}

/** Records of one stream in one region. A producer counts each once, however often it is tried (`RecordCounts`). */
export interface RegionTally {
  readonly ok: number;
  readonly failed: Readonly<Record<BeaconClass, number>>;
  /** Requests by how long they took: see `latencyBoundsMs`. */
  readonly latency: readonly number[];
}

/** Whose fault a failure is. Only the region's faults accuse it. */
export const beaconClasses = {
  server: 'region',
  timeout: 'region',
  reset: 'region',
  dns: 'region',
  throttled: 'own',
  access: 'own',
  validation: 'own',
  other: 'own',
} as const satisfies Record<string, 'region' | 'own'>;
export type BeaconClass = keyof typeof beaconClasses;
export const beaconClassNames = Object.keys(beaconClasses) as readonly BeaconClass[];

/** The class of a failure in a beacon, by its class in `probe.ts`. */
export const beaconClassOf: Readonly<Record<ErrorClass, BeaconClass>> = {
  server: 'server',
  timeout: 'timeout',
  reset: 'reset',
  dns: 'dns',
  stale: 'other',
  throttled: 'throttled',
  access: 'access',
  validation: 'validation',
  missing: 'other',
  clock: 'access',
  unclassified: 'other',
};

/** Upper bounds of the buckets; one more bucket holds what took longer. */
export const latencyBoundsMs = [25, 50, 100, 250, 500, 1_000, 2_500] as const;
export const LATENCY_BUCKETS = latencyBoundsMs.length + 1;

export const BEACON_VERSION = 1;
/** In health, and for fleets of up to `FLEET_AT_LEAST_INTERVAL` beacons. */
export const HEALTH_INTERVAL_MS = 90_000;
/** Share of an interval that is drawn: the next beacon comes up to this much earlier than promised, never later. */
export const BEACON_JITTER = 0.2;
export const MOST_INTERVAL_MS = 15 * 60_000;
export const FLEET_AT_LEAST_INTERVAL = 1_000;
export const TROUBLE_INTERVAL_MS = 5_000;
/** A beacon holds for this many of its intervals: one that is late, or lost, is no silence yet. */
export const LIFE_INTERVALS = 2.5;
/** A source counts as seen lately for this long after its beacon has expired. */
export const SEEN_LATELY_MS = 15 * 60_000;
/** DynamoDB bills a write by the KB: a beacon stays below one. */
export const MOST_BEACON_BYTES = 1_024;
/** Longest name of a failure domain. */
export const MOST_DOMAIN_CHARACTERS = 64;
/** Regions in one beacon, at most. */
export const MOST_REGIONS = 3;
/** An event loop that runs later than this makes time-outs of its own. */
export const MOST_LAG_MS = 1_000;

/** Share of the counted attempts from which on a process is in trouble and reports every 5 s. */
const TROUBLE_SHARE = 0.01;

/** The item in which an observer tells the writers how many they are. */
export const FLEET_KEY = { pk: 'fleet', sk: 'fleet' } as const;

/** How long the writers of this many beacons wait between two of them, so that more of them cost no more. */
export function healthIntervalMs(beacons: number): number {
  const stretched = HEALTH_INTERVAL_MS * (beacons / FLEET_AT_LEAST_INTERVAL);
  return Math.min(MOST_INTERVAL_MS, Math.max(HEALTH_INTERVAL_MS, Math.ceil(stretched)));
}

export const expiresAtMs = ({ atMs, intervalMs }: Pick<Beacon, 'atMs' | 'intervalMs'>): number =>
  atMs + LIFE_INTERVALS * Math.min(intervalMs, MOST_INTERVAL_MS);

/** Attempts that say something about the region: those that it took, and those that failed by its fault. */
export function countedIn({ ok, failed }: RegionTally): {
  readonly counted: number;
  readonly failed: number;
} {
  let byRegion = 0;
  for (const name of beaconClassNames) if (beaconClasses[name] === 'region') byRegion += failed[name];
  return { counted: ok + byRegion, failed: byRegion };
}

/** Whether what a process lately put says that a region fails. */
export const isTrouble = (regions: Beacon['regions']): boolean =>
  Object.values(regions).some((tally) => {
    const { counted, failed } = countedIn(tally);
    return failed > 0 && failed >= counted * TROUBLE_SHARE;
  });

/** An item as it is stored: the names are short, because an item is billed by its bytes. */
export interface BeaconItem {
  readonly pk: string;
  readonly sk: string;
  readonly v: number;
  readonly seq: number;
  readonly at: number;
  readonly every: number;
  /** When it stops to count; `ttl` is when DynamoDB may delete it, in seconds. */
  readonly expiresAtMs: number;
  readonly ttl: number;
  readonly lag: number;
  readonly domain: string;
  /** Key of the sparse index: only items that report trouble have it. The process spreads the writes. */
  readonly trouble?: string;
  readonly regions: Readonly<Record<string, Counts>>;
}

export function itemOf(beacon: Beacon): BeaconItem {
  const expiry = expiresAtMs(beacon);
  return {
    pk: beacon.source,
    sk: `${beacon.process}/${beacon.stream}`,
    v: BEACON_VERSION,
    seq: beacon.sequence,
    at: beacon.atMs,
    every: beacon.intervalMs,
    expiresAtMs: expiry,
    ttl: Math.ceil((expiry + SEEN_LATELY_MS) / 1_000),
    lag: Math.round(beacon.lagMs),
    domain: beacon.domain.slice(0, MOST_DOMAIN_CHARACTERS),
    ...(beacon.trouble ? { trouble: beacon.process } : {}),
    regions: Object.fromEntries(
      Object.entries(beacon.regions)
        .slice(0, MOST_REGIONS)
        .map(([region, tally]) => [region, countsOf(tally)]),
    ),
  };
}

/** A tally as a list of numbers: ok, the failures by class, the requests by latency. */
export type Counts = readonly number[];
export const COUNTS = 1 + beaconClassNames.length + LATENCY_BUCKETS;

const countsOf = ({ ok, failed, latency }: RegionTally): Counts => [
  ok,
  ...beaconClassNames.map((name) => failed[name]),
  ...latency,
];

export function tallyOf([ok = 0, ...numbers]: Counts): RegionTally {
  return {
    ok,
    failed: Object.fromEntries(
      beaconClassNames.map((name, n) => [name, numbers[n] ?? 0]),
    ) as RegionTally['failed'],
    latency: numbers.slice(beaconClassNames.length),
  };
}

/** Place of a latency among the buckets. */
export function bucketOf(tookMs: number): number {
  let bucket = 0;
  while (bucket < latencyBoundsMs.length && tookMs > (latencyBoundsMs[bucket] as number)) bucket++;
  return bucket;
}
