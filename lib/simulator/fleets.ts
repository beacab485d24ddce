import {
  type Beacon,
  type BeaconClass,
  beaconClassNames,
  HEALTH_INTERVAL_MS,
  LATENCY_BUCKETS,
  LIFE_INTERVALS,
} from '../../lambda/core/beacon-item.ts';
import type { BeaconMemory } from '../../lambda/core/beacon-memory.ts';
import { type CellBeacons, judgeBeacons } from '../../lambda/core/beacons.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import type { Regions } from '../config/config.ts';
import { type Fleet, fleetOf, type Lie, type Producers } from '../scenario/sources.ts';
import type { Calls } from './calls.ts';
import { CellFleet, type SourceGroup } from './fleet.ts';
import { seedFor } from './random.ts';
import { type Span, Timeline } from './timeline.ts';

export interface FleetsOptions {
  readonly cells: readonly string[];
  /** Undefined: nobody reports. */
  readonly producers: Producers | undefined;
  readonly lies: readonly Lie[];
  readonly regions: Regions;
  readonly policy: Policy;
  readonly calls: Calls;
  readonly seed: number;
  /** Since when DNS has had this cell in the standby; undefined: it has it elsewhere. */
  readonly inStandbySinceMs: (cell: string) => number | undefined;
}

/** Beacons on which nothing follows: they neither accuse nor make anybody look. */
const isCalm = ({ sight }: CellBeacons): boolean => sight === 'well' || sight === 'unknown';

/**
 * The fleets of all cells that report, as an observer reads their beacons. While no fault and no lie touches any of
 * them, the answer is the same, and nothing is computed.
 */
export class Fleets {
  readonly #options: FleetsOptions;
  readonly #fleets: readonly CellFleet[];
  readonly #byCell: ReadonlyMap<string, CellFleet>;
  readonly #trouble: Timeline<Span>;
  readonly #calm: readonly CellBeacons[];
  /** What the core's rule comes to, by the sources that say the same. */
  readonly #judged = new Map<string, CellBeacons | undefined>();

  constructor(options: FleetsOptions) {
    this.#options = options;
    const { cells, producers } = options;
    const fleets = cells.map((cell) => ({ cell, fleet: producers && fleetOf(producers, cell) }));
    this.#fleets = fleets.flatMap(({ cell, fleet }) => (fleet?.beacons ? [this.#fleet(cell, fleet)] : []));
    this.#byCell = new Map(this.#fleets.map((fleet) => [fleet.options.cell, fleet]));
    this.#trouble = new Timeline(this.#fleets.flatMap((fleet) => this.#troubleOf(fleet)));
    this.#calm = this.#fleets.flatMap(({ options: { cell, instances } }) => {
      const healthy = { count: instances, domain: 0, region: 'primary', failed: 0, age: 'current' } as const;
      return this.#judge(cell, [healthy]) ?? [];
    });
  }

  /** Whether anybody reports. */
  get report(): boolean {
    return this.#fleets.length > 0;
  }

  /** When beacons may say anything but that all is well, while every cell is in the primary. */
  get trouble(): readonly Span[] {
    return this.#trouble.spans;
  }

  fleetOf(cell: string): CellFleet | undefined {
    return this.#byCell.get(cell);
  }

  /** Whether nothing follows on what was read. */
  areCalm(beacons: readonly CellBeacons[]): boolean {
    return beacons === this.#calm || beacons.every(isCalm);
  }

  /** What an observer reads at this time. */
  look(atMs: number, { allHome }: { readonly allHome: boolean }): readonly CellBeacons[] {
    if (!this.report || (allHome && this.#trouble.nextMs(atMs) > atMs)) return this.#calm;
    const healthy = this.#options.policy.minimumGain / 2;
    const seen: CellBeacons[] = [];
    for (const [n, fleet] of this.#fleets.entries()) {
      const judged = fleet.isWell(atMs, healthy)
        ? this.#calm[n]
        : this.#judge(fleet.options.cell, fleet.sourcesAt(atMs));
      if (judged !== undefined) seen.push(judged);
    }
    // One and the same object while all are well: askers know that nothing follows on it.
    const areAllCalm = seen.length === this.#calm.length && seen.every((each, n) => each === this.#calm[n]);
    return areAllCalm ? this.#calm : seen;
  }

  #troubleOf(fleet: CellFleet): readonly Span[] {
    return fleet.trouble(this.#options.policy.minimumGain, (sources) => {
      const judged = this.#judge(fleet.options.cell, sources);
      return judged !== undefined && !isCalm(judged);
    });
  }

  #fleet(cell: string, { instances }: Fleet): CellFleet {
    const { regions, calls, seed, lies, inStandbySinceMs } = this.#options;
    const { primary, standby } = regions;
    const put = (region: string) =>
      calls.know({
        source: primary,
        region,
        service: 'kinesis',
        operation: 'PutRecords',
        stream: cell,
        byProducer: true,
      });
    const table = { service: 'dynamodb', operation: 'PutItem', byProducer: true };
    return new CellFleet({
      cell,
      instances,
      seed: seedFor(seed, `fleet ${cell}`),
      puts: { primary: put(primary), standby: put(standby) },
      write: calls.know({ source: primary, region: standby, ...table }),
      lies: lies.filter(({ cells }) => cells === undefined || cells.includes(cell)),
      inStandbySinceMs: () => inStandbySinceMs(cell),
    });
  }

  #judge(cell: string, groups: readonly SourceGroup[]): CellBeacons | undefined {
    const key = `${cell} ${groups.map(({ count, domain, region, failed, age }) => `${count} ${domain} ${region} ${failed} ${age}`).join(',')}`;
    if (this.#judged.has(key)) return this.#judged.get(key);
    const { regions, policy } = this.#options;
    const [judged] = judgeBeacons({
      memory: memoryOf(cell, groups, regions),
      cells: [{ cell, streams: { primary: cell, standby: cell } }],
      regions,
      policy,
      nowMs: NOW_MS,
      isComplete: true,
    });
    // A ramp makes a new key each time it is looked at.
    if (this.#judged.size >= MOST_JUDGED) this.#judged.clear();
    this.#judged.set(key, judged);
    return judged;
  }
}

const MOST_JUDGED = 10_000;
/** Any time: beacons are judged by their age. */
const NOW_MS = 1_000_000_000_000;
const ATTEMPTS = 100;

function memoryOf(cell: string, groups: readonly SourceGroup[], regions: Regions): BeaconMemory {
  const memory = new Map<string, Beacon>();
  const ageMs = { current: 0, expired: LIFE_INTERVALS * HEALTH_INTERVAL_MS };
  for (const { count, domain, region, failed, age } of groups) {
    for (let n = 0; n < count; n++) {
      const source = `source-${memory.size}`;
      memory.set(source, {
        source,
        process: source,
        stream: cell,
        sequence: 1,
        atMs: NOW_MS - ageMs[age],
        intervalMs: HEALTH_INTERVAL_MS,
        lagMs: 0,
        domain: `zone-${domain}`,
        trouble: failed > 0,
        regions: {
          [regions[region]]: { ok: ATTEMPTS - failed, failed: failures(failed), latency: noLatency },
        },
      });
    }
  }
  return memory;
}

const noLatency = Array<number>(LATENCY_BUCKETS).fill(0);
const failures = (server: number): Readonly<Record<BeaconClass, number>> => ({
  ...(Object.fromEntries(beaconClassNames.map((name) => [name, 0])) as Record<BeaconClass, number>),
  server,
});
