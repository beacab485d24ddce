import {
  type Beacon,
  type BeaconClass,
  beaconClassNames,
  itemOf,
  LATENCY_BUCKETS,
  type RegionTally,
  TROUBLE_INTERVAL_MS,
} from '../../lambda/core/beacon-item.ts';
import { rememberBeacons } from '../../lambda/core/beacon-memory.ts';
import { type BeaconQuestion, type CellBeacons, judgeBeacons } from '../../lambda/core/beacons.ts';

export const nowMs = 1_800_000_000_000;
export const PRIMARY = 'us-east-1';
export const STANDBY = 'us-west-2';
export const processId = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

export function tally(ok: number, failed: Partial<Record<BeaconClass, number>> = {}): RegionTally {
  return {
    ok,
    failed: Object.fromEntries(
      beaconClassNames.map((name) => [name, failed[name] ?? 0]),
    ) as RegionTally['failed'],
    latency: new Array<number>(LATENCY_BUCKETS).fill(0),
  };
}

/** A beacon of source n: healthy, in an availability zone of three, unless it is changed. */
export const beacon = (n: number, change: Partial<Beacon> = {}): Beacon => ({
  source: `AROAEXAMPLE:task-${n}`,
  process: processId(n),
  stream: 'orders',
  sequence: 1,
  atMs: nowMs - 1_000,
  intervalMs: TROUBLE_INTERVAL_MS,
  lagMs: 5,
  domain: `use1-az${n % 3}`,
  trouble: false,
  regions: { [PRIMARY]: tally(1_000) },
  ...change,
});

export const failing = (n: number, change: Partial<Beacon> = {}): Beacon =>
  beacon(n, { trouble: true, regions: { [PRIMARY]: tally(0, { timeout: 500 }) }, ...change });

export const several = <T>(count: number, of: (n: number) => T, from = 0): T[] =>
  Array.from({ length: count }, (_, n) => of(from + n));

/** What is judged of the cell `orders` after these items were read. */
export function judgedItems(items: readonly unknown[], change: Partial<BeaconQuestion> = {}): CellBeacons {
  const { memory } = rememberBeacons(new Map(), { items, nowMs });
  const [found] = judgeBeacons({ ...question, memory, ...change });
  return found ?? { cell: 'orders', sight: 'unknown', sources: 0, failing: 0 };
}

export const judged = (beacons: readonly Beacon[], change: Partial<BeaconQuestion> = {}): CellBeacons =>
  judgedItems(beacons.map(itemOf), change);

export const question: Omit<BeaconQuestion, 'memory'> = {
  cells: [{ cell: 'orders', streams: { primary: 'orders', standby: 'orders' } }],
  regions: { primary: PRIMARY, standby: STANDBY },
  policy: { minimumGain: 0.2 },
  nowMs,
  isComplete: true,
};
