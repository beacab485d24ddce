import { BEACON_JITTER, healthIntervalMs, MOST_BEACON_BYTES } from '../../lambda/core/beacon-item.ts';
import { SECONDS_A_MONTH } from './prices.ts';

export interface BeaconUsage {
  readonly intervalSeconds: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  /** Between the standby and the observers of other regions. */
  readonly gbBetweenRegions: number;
}

/** DynamoDB reads 4 KB for a unit, and twice as much where the newest state is not asked for. */
const BYTES_A_READ_UNIT = 8 * 1_024;
/** An index without items, and an item that does not exist, cost half a unit. */
const LEAST_READ_UNITS = 0.5;
/** Writers read the size of the fleet so often, and observers the whole table in that share of the writers' interval. */
const FLEET_READ_SECONDS = 15 * 60;
const WHOLE_EVERY_SHARE = 2 / 3;

/** What so many beacons use in a month of health, each of 1 KB, at the interval that follows from their number. */
export function beaconUsage({
  beacons,
  observers,
  ticks,
}: {
  readonly beacons: number;
  readonly observers: number;
  readonly ticks: number;
}): BeaconUsage {
  const intervalSeconds = healthIntervalMs(beacons) / 1_000;
  // A beacon comes up to a fifth of its interval early, on average half of that.
  const writes = (beacons * SECONDS_A_MONTH) / (intervalSeconds * (1 - BEACON_JITTER / 2));
  const readings = SECONDS_A_MONTH / (intervalSeconds * WHOLE_EVERY_SHARE);
  const wholeUnits = Math.max(LEAST_READ_UNITS, (beacons * MOST_BEACON_BYTES) / BYTES_A_READ_UNIT);
  return {
    intervalSeconds,
    writeUnits: writes + readings,
    readUnits:
      observers * (ticks * LEAST_READ_UNITS + readings * wholeUnits) +
      beacons * (SECONDS_A_MONTH / FLEET_READ_SECONDS) * LEAST_READ_UNITS,
    gbBetweenRegions: ((observers - 1) * readings * beacons * MOST_BEACON_BYTES) / 1e9,
  };
}
