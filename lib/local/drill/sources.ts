import { randomUUID } from 'node:crypto';
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import {
  type Beacon,
  type BeaconItem,
  beaconClassNames,
  HEALTH_INTERVAL_MS,
  isTrouble,
  itemOf,
  LATENCY_BUCKETS,
  TROUBLE_INTERVAL_MS,
} from '../../../lambda/core/beacon-item.ts';
import { beaconTableName } from '../../../lambda/core/names.ts';
import type { Config } from '../../config/config.ts';
import { fateOf } from '../../scenario/faults.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { fleetOf } from '../../scenario/sources.ts';
import type { LocalClients } from './clients.ts';

/** What the sources of a fleet see and say at a moment. */
export interface SourcesQuestion {
  readonly config: Config;
  /** Its times count from `elapsedMs` = 0. */
  readonly scenario: Scenario;
  /** Undefined: the scenario has not begun. */
  readonly elapsedMs: number | undefined;
  readonly nowMs: number;
  readonly random: () => number;
  /** Where DNS has this cell. */
  readonly regionOf: (cell: string) => string;
}

/** Puts that a source tries in the time that its beacon is about. */
const ATTEMPTS = 50;
/** Availability zones over which a fleet is spread. */
const DOMAINS = 3;
/** A fleet of thousands would be more than a laptop's LocalStack can take: the shares are what a quorum looks at. */
const MOST_SOURCES = 100;

/** One beacon of each source of each fleet that reports: what it sees of the scenario's faults, or what it lies. */
export function sourcesSay(question: SourcesQuestion): readonly Omit<Beacon, 'process' | 'sequence'>[] {
  const { config, scenario, elapsedMs = Number.NEGATIVE_INFINITY } = question;
  const { producers, lies = [] } = scenario;
  if (producers === undefined) return [];
  return config.cells.flatMap((cell) => {
    const { instances, beacons } = fleetOf(producers, cell.name);
    if (!beacons) return [];
    const count = Math.min(MOST_SOURCES, instances);
    const lie = lies.find(
      ({ cells, atMs, untilMs }) =>
        (cells === undefined || cells.includes(cell.name)) && elapsedMs >= atMs && elapsedMs < untilMs,
    );
    const liars = lie === undefined ? 0 : Math.round(count * lie.share);
    return Array.from({ length: count }, (_, n) => {
      const lying = n < liars ? lie : undefined;
      const failed =
        lying === undefined ? seenFailing(cell.name, question) : lying.says === 'failing' ? ATTEMPTS : 0;
      return beaconOf({ cell, n, failed }, question);
    });
  });
}

/** How many of its puts a source has seen fail, by the rule that the fault proxy plays. */
function seenFailing(
  cell: string,
  { config, scenario, elapsedMs, random, regionOf }: SourcesQuestion,
): number {
  if (elapsedMs === undefined) return 0;
  const { regions } = config;
  const call = {
    ...{ source: regions.primary, region: regionOf(cell), service: 'kinesis', operation: 'PutRecords' },
    ...{ stream: cell, byProducer: true },
  };
  let failed = 0;
  for (let n = 0; n < ATTEMPTS; n++)
    if (fateOf(call, { scenario, roles: regions, elapsedMs, random }).failure !== undefined) failed++;
  return failed;
}

function beaconOf(
  {
    cell,
    n,
    failed,
  }: { readonly cell: Config['cells'][number]; readonly n: number; readonly failed: number },
  { config, nowMs, regionOf }: SourcesQuestion,
): Omit<Beacon, 'process' | 'sequence'> {
  const region = regionOf(cell.name);
  const role = region === config.regions.standby ? 'standby' : 'primary';
  const none = Object.fromEntries(beaconClassNames.map((name) => [name, 0])) as Record<
    (typeof beaconClassNames)[number],
    number
  >;
  const regions = {
    [region]: {
      ok: ATTEMPTS - failed,
      failed: { ...none, server: failed },
      latency: Array<number>(LATENCY_BUCKETS).fill(0),
    },
  };
  const trouble = isTrouble(regions);
  return {
    source: `drill-source-${cell.name}-${n}`,
    stream: cell.streams[role].name,
    atMs: nowMs,
    intervalMs: trouble ? TROUBLE_INTERVAL_MS : HEALTH_INTERVAL_MS,
    lagMs: 0,
    domain: `zone-${n % DOMAINS}`,
    trouble,
    regions,
  };
}

/** A BatchWriteItem takes so many items. */
const BATCH = 25;
const WRITE_TIMEOUT_MS = 4_000;

export interface Sources {
  /** The scenario begins now. */
  begin(scenario: Scenario, startedAtMs: number): void;
  stop(): void;
}

export interface SourcesOptions extends Pick<SourcesQuestion, 'config' | 'random' | 'regionOf'> {
  readonly clients: LocalClients;
  readonly scenario: Scenario;
  readonly onProblem: (text: string) => void;
}

/**
 * Writes the beacons of fleets that are larger than the drill's three producers, and of sources that lie. LocalStack
 * does not check who writes: in an account, IAM lets each source write under its own name alone.
 */
export function startSources(options: SourcesOptions): Sources {
  const { config, clients, random, regionOf, onProblem } = options;
  const client = clients.documents(config.regions.standby);
  const table = beaconTableName(config.name);
  const ids = new Map<
    string,
    { readonly process: string; sequence: number; dueMs: number; trouble: boolean }
  >();
  let [scenario, startedAtMs]: [Scenario, number | undefined] = [options.scenario, undefined];
  let isBusy = false;

  const look = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    const nowMs = Date.now();
    const elapsedMs = startedAtMs === undefined ? undefined : nowMs - startedAtMs;
    const due: BeaconItem[] = [];
    for (const said of sourcesSay({ config, scenario, elapsedMs, nowMs, random, regionOf })) {
      const key = `${said.source} ${said.stream}`;
      const known = ids.get(key) ?? { process: randomUUID(), sequence: 0, dueMs: 0, trouble: false };
      ids.set(key, known);
      if (nowMs < known.dueMs && !said.trouble && !known.trouble) continue;
      known.trouble = said.trouble;
      known.dueMs = nowMs + said.intervalMs / 2;
      due.push(itemOf({ ...said, process: known.process, sequence: ++known.sequence }));
    }
    try {
      for (let from = 0; from < due.length; from += BATCH) {
        const requests = due.slice(from, from + BATCH).map((Item) => ({ PutRequest: { Item } }));
        await client.send(new BatchWriteCommand({ RequestItems: { [table]: requests } }), {
          abortSignal: AbortSignal.timeout(WRITE_TIMEOUT_MS),
        });
      }
    } catch (error) {
      onProblem(
        `the beacons of the fleets were not written: ${error instanceof Error ? error.message : error}`,
      );
    } finally {
      isBusy = false;
    }
  };
  const timer = setInterval(() => void look(), TROUBLE_INTERVAL_MS);
  void look();
  return {
    begin: (begun, atMs) => {
      scenario = begun;
      startedAtMs = atMs;
    },
    stop: () => {
      clearInterval(timer);
      client.destroy();
    },
  };
}
