import { type Beacon, countedIn, expiresAtMs, FLEET_KEY, SEEN_LATELY_MS } from './beacon-item.ts';
import { readBeacon } from './beacon-schema.ts';

/** A beacon with what its process has said before. */
export interface RememberedBeacon extends Beacon {
  /** When the unbroken series of beacons began that say of a region that it fails. Absent: with this one. */
  readonly failingSinceMs?: number;
}

/** The newest beacon of each process and stream, by its key. */
export type BeaconMemory = ReadonlyMap<string, RememberedBeacon>;

/** Why an item is not taken. */
export type IgnoredBecause = 'malformed' | 'oversized' | 'future' | 'replayed' | 'tooMany';
export type IgnoredBeacons = Readonly<Partial<Record<IgnoredBecause, number>>>;

/** Clocks of producers may be ahead by this much; more is no time at which a beacon was written. */
const MOST_AHEAD_MS = 5_000;
/** From this share of failures on, a beacon belongs to a series. Below `policy.minimumGain`: to begin too early is careful. */
const FAILING_SHARE = 0.1;
export const MOST_BEACONS = 40_000;
/** No sort key of DynamoDB comes after this one of 1,024 bytes, the longest that there may be. */
export const LAST_SORT_KEY = '\u{10FFFF}'.repeat(256);
/** A function’s environments are one source with a process each; one source must not fill the memory. */
export const MOST_BEACONS_OF_A_SOURCE = 1_000;

export interface Remembered {
  readonly memory: BeaconMemory;
  readonly ignored: IgnoredBeacons;
}

/**
 * Adds items as they were read, in any order and any number of times. An item that is not newer than what the same
 * process has said is ignored, so an old item that is written again changes nothing.
 */
export function rememberBeacons(
  before: BeaconMemory,
  { items, nowMs }: { readonly items: readonly unknown[]; readonly nowMs: number },
): Remembered {
  const memory = new Map<string, RememberedBeacon>();
  const ofSource = new Map<string, number>();
  const ignored: Partial<Record<IgnoredBecause, number>> = {};
  const add = (key: string, beacon: RememberedBeacon): boolean => {
    if (!memory.has(key)) {
      const own = ofSource.get(beacon.source) ?? 0;
      if (own >= MOST_BEACONS_OF_A_SOURCE || memory.size >= MOST_BEACONS) return false;
      ofSource.set(beacon.source, own + 1);
    }
    memory.set(key, beacon);
    return true;
  };
  for (const [key, beacon] of before) {
    if (expiresAtMs(beacon) + SEEN_LATELY_MS > nowMs) add(key, beacon);
  }
  for (const item of items) {
    if (isFleet(item)) continue;
    const because = taken(item, { memory, add, nowMs });
    if (because !== undefined) ignored[because] = (ignored[because] ?? 0) + 1;
  }
  return { memory, ignored };
}

/** Beacons that hold, and the sources that they are of. */
export function fleetOf(
  memory: BeaconMemory,
  nowMs: number,
): { readonly beacons: number; readonly sources: number } {
  const sources = new Set<string>();
  let beacons = 0;
  for (const beacon of memory.values()) {
    if (expiresAtMs(beacon) <= nowMs) continue;
    beacons++;
    sources.add(beacon.source);
  }
  return { beacons, sources: sources.size };
}

function taken(
  item: unknown,
  {
    memory,
    add,
    nowMs,
  }: {
    readonly memory: BeaconMemory;
    readonly add: (key: string, beacon: RememberedBeacon) => boolean;
    readonly nowMs: number;
  },
): IgnoredBecause | undefined {
  const read = readBeacon(item);
  if (!read.ok) return read.because;
  const { beacon } = read;
  if (beacon.atMs > nowMs + MOST_AHEAD_MS) return 'future';
  // What is long expired is neither believed nor worth a word: DynamoDB deletes it when it comes to it.
  if (expiresAtMs(beacon) + SEEN_LATELY_MS <= nowMs) return undefined;
  const key = `${beacon.source} ${beacon.process} ${beacon.stream}`;
  const last = memory.get(key);
  if (last !== undefined) {
    if (beacon.sequence === last.sequence && beacon.atMs === last.atMs) return undefined;
    if (beacon.sequence <= last.sequence || beacon.atMs <= last.atMs) return 'replayed';
  }
  return add(key, inItsSeries(beacon, last)) ? undefined : 'tooMany';
}

function inItsSeries(beacon: Beacon, last: RememberedBeacon | undefined): RememberedBeacon {
  if (last === undefined || expiresAtMs(last) <= beacon.atMs) return beacon;
  if (!saysFailing(beacon) || !saysFailing(last)) return beacon;
  return { ...beacon, failingSinceMs: last.failingSinceMs ?? last.atMs };
}

const saysFailing = ({ regions }: Beacon): boolean =>
  Object.values(regions).some((tally) => {
    const { counted, failed } = countedIn(tally);
    return failed > counted * FAILING_SHARE;
  });

const isFleet = (item: unknown): boolean =>
  typeof item === 'object' && item !== null && (item as { pk?: unknown }).pk === FLEET_KEY.pk;
