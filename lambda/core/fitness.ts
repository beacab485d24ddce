import { failsWholly, type RegionLevels } from './observation.ts';
import type { Role } from './role.ts';

/**
 * The capacity of a shard: 1 MB/s and 1,000 records/s. An on-demand stream starts at 4 MB/s (4,000 records/s)
 * and immediately takes twice the peak of the last 30 days ("Quotas and limits" and "Choose the right stream
 * mode", Amazon Kinesis Data Streams Developer Guide).
 */
const SHARD = { bytesPerSecond: 1_000_000, recordsPerSecond: 1_000 } as const;
const ON_DEMAND_START = { bytesPerSecond: 4_000_000, recordsPerSecond: 4_000 } as const;
const ON_DEMAND_GROWTH = 2;
const MIB = 1_048_576;

export interface Load {
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
}

export type StreamCapacity =
  | { readonly mode: 'provisioned'; readonly shards: number }
  /**
   * `peak`: the load that the stream has taken before and is scaled for, or the load that it was warmed for,
   * in MiB/s.
   */
  | {
      readonly mode: 'on-demand';
      readonly peak: Load;
      readonly warmMibPerSecond?: number | undefined;
      /** Keeps no key together (`Distribution`). */
      readonly serviceManaged?: true | undefined;
    };

/** The highest value of each; 0 for none. */
export const highest = (loads: readonly Load[]): Load => ({
  bytesPerSecond: Math.max(0, ...loads.map(({ bytesPerSecond }) => bytesPerSecond)),
  recordsPerSecond: Math.max(0, ...loads.map(({ recordsPerSecond }) => recordsPerSecond)),
});

/** The load that a stream takes without any time to scale. */
export function takes(capacity: StreamCapacity): Load {
  switch (capacity.mode) {
    case 'provisioned':
      return {
        bytesPerSecond: capacity.shards * SHARD.bytesPerSecond,
        recordsPerSecond: capacity.shards * SHARD.recordsPerSecond,
      };
    case 'on-demand': {
      const { peak, warmMibPerSecond = 0 } = capacity;
      return highest([
        ON_DEMAND_START,
        {
          bytesPerSecond: ON_DEMAND_GROWTH * peak.bytesPerSecond,
          recordsPerSecond: ON_DEMAND_GROWTH * peak.recordsPerSecond,
        },
        {
          bytesPerSecond: warmMibPerSecond * MIB,
          recordsPerSecond: warmMibPerSecond * SHARD.recordsPerSecond,
        },
      ]);
    }
    default:
      return capacity satisfies never;
  }
}

/** One cell's streams as they were last surveyed, before anything failed. */
export interface CellCapacity {
  readonly cell: string;
  /** When any of its values was last read. Values that could not be read then are older. */
  readonly surveyedAtMs: number;
  /** Highest load of the last two weeks, in either region. */
  readonly peak: Load;
  readonly primary?: StreamCapacity | undefined;
  readonly standby?: StreamCapacity | undefined;
}

/**
 * Sentences about cells whose stream in that role would not take the cell's peak. An unknown size is not a
 * shortfall.
 */
export function shortfalls(cells: readonly CellCapacity[], role: Role): readonly string[] {
  return cells.flatMap(({ cell, peak, [role]: capacity }) => {
    if (capacity === undefined) return [];
    const limit = takes(capacity);
    if (peak.bytesPerSecond <= limit.bytesPerSecond && peak.recordsPerSecond <= limit.recordsPerSecond) {
      return [];
    }
    return [
      `${cell}: peak ${describe(peak)}, the ${role} stream takes ${describe(limit)} (${sizeOf(capacity)})`,
    ];
  });
}

/**
 * Sentences about cells whose stream in the standby keeps no key together, while that of the primary does: a move ends the order of
 * their keys. What could not be read is no finding.
 */
export function disorders(cells: readonly CellCapacity[]): readonly string[] {
  return cells.flatMap(({ cell, primary, standby }) => {
    if (primary === undefined || isServiceManaged(primary) || !isServiceManaged(standby)) return [];
    return [
      `${cell}: the standby stream has service-managed distribution, so a move ends the order of its keys`,
    ];
  });
}

const isServiceManaged = (stream: StreamCapacity | undefined): boolean =>
  stream?.mode === 'on-demand' && stream.serviceManaged === true;

const describe = ({ bytesPerSecond, recordsPerSecond }: Load): string =>
  `${(bytesPerSecond / 1_000_000).toFixed(1)} MB/s and ${Math.round(recordsPerSecond)} records/s`;

function sizeOf(capacity: StreamCapacity): string {
  return capacity.mode === 'provisioned' ? `${capacity.shards} shards` : 'on demand';
}

export interface Fitness {
  /**
   * False: the standby is known not to work. One that is only unknown or small does not keep traffic in a
   * failing region.
   */
  readonly fit: boolean;
  readonly findings: readonly string[];
}

/** What of an observer's levels says whether the standby works. */
export type StandbySeen = Pick<RegionLevels, 'kinesisWrite' | 'kinesisRead' | 'reachability' | 'partly'>;

/**
 * Whether to pin traffic to the standby. DNS has moved there already, or an operator wants it to: only a
 * canary that is known to fail refuses. A standby that is too small throttles, which producers survive; this
 * is reported, and does not refuse.
 */
export function fitnessOf(levels: StandbySeen, capacities: readonly CellCapacity[]): Fitness {
  const { kinesisWrite, kinesisRead, reachability } = levels;
  const all = { writes: kinesisWrite, reads: kinesisRead, reachability };
  const notUp = Object.entries(all).filter(([, level]) => level !== 'up');
  return {
    fit:
      reachability !== 'down' && !failsWholly(levels, 'kinesisWrite') && !failsWholly(levels, 'kinesisRead'),
    findings: [
      ...notUp.map(([what, level]) => `canary of the standby: ${what} ${level}`),
      ...shortfalls(capacities, 'standby'),
      ...disorders(capacities),
    ],
  };
}
