import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { BEACON_VERSION, type Beacon, FLEET_KEY, healthIntervalMs } from '../core/beacon-item.ts';
import { type BeaconMemory, fleetOf, type IgnoredBeacons, rememberBeacons } from '../core/beacon-memory.ts';
import { type BeaconTable, smallTable, sourcesByCell } from '../core/beacon-table.ts';
import { type BeaconCell, type CellBeacons, judgeBeacons } from '../core/beacons.ts';
import { TROUBLE_INDEX } from '../core/names.ts';
import type { Policy } from '../core/policy.ts';
import type { ErrorClass } from '../core/probe.ts';
import type { Role } from '../core/role.ts';
import { BeaconSweep } from './beacon-sweep.ts';
import { explain } from './measure.ts';

export interface BeaconReaderOptions {
  /** Client of the standby, where the table is. */
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly cells: readonly BeaconCell[];
  readonly regions: Readonly<Record<Role, string>>;
  readonly policy: Pick<Policy, 'minimumGain'>;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  /** Tells the writers how many they are: one observer does. */
  readonly tellsFleet: boolean;
  readonly onIgnored: (ignored: IgnoredBeacons) => void;
  /** A source has so many items that most of them are skipped; told once in each reading of the table. */
  readonly onFlooding: (source: string) => void;
  readonly onError: (error: unknown) => void;
}

/** Longest wait of a round. */
const TROUBLE_TIMEOUT_MS = 1_500;
/** Longest reading of the whole table, which no round waits for. */
const WHOLE_TIMEOUT_MS = 10_000;
/** Share of the interval of the writers in which the whole table is read once: a minute for 90 s. */
const WHOLE_EVERY_SHARE = 2 / 3;
const AFTER_FAILURE_MS = 15_000;
/** The whole table is known for this many of its readings. */
const KNOWN_FOR_READINGS = 3;

/** How soon after the last whole reading the next one begins when there are sources that it has not found. */
const STRANGERS_AFTER_MS = 10_000;

const sourceOf = (item: unknown): string =>
  typeof item === 'object' && item !== null && 'pk' in item ? String(item.pk) : '';

/**
 * Reads the beacons: those that report trouble in every round, by their small index, and all of them once a minute in the
 * background, because a quorum needs to know of how many it is one.
 */
export class BeaconReader {
  readonly #options: BeaconReaderOptions;
  readonly #trouble: BeaconSweep;
  readonly #whole: BeaconSweep;
  /** What cannot be read, and why, since when. */
  readonly #problems = new Map<'index' | 'table', NonNullable<BeaconTable['problem']>>();
  /** What the last whole reading found. */
  #found: Pick<BeaconTable, 'completeAtMs' | 'sources' | 'ignored' | 'flooding'> = { ignored: {} };
  /** The first source that the present reading has skipped. */
  #flooding: string | undefined;
  #memory: BeaconMemory = new Map();
  #ignored: Partial<Record<string, number>> = {};
  #wholeDueMs = Number.NEGATIVE_INFINITY;
  #sweepStartedMs = Number.NaN;
  #completeAtMs = Number.NEGATIVE_INFINITY;
  /** Sources that the last whole reading has found, and those that the present one has found so far. */
  #known: ReadonlySet<string> = new Set();
  #sweeping = new Set<string>();
  #reading: Promise<void> | undefined;

  constructor(options: BeaconReaderOptions) {
    this.#options = options;
    const { client, table, onFlooding } = options;
    this.#trouble = new BeaconSweep({ client, table, index: TROUBLE_INDEX });
    this.#whole = new BeaconSweep({
      client,
      table,
      onFlooding: (source) => {
        this.#flooding ??= source;
        onFlooding(source);
      },
    });
  }

  /** What the producers of each cell report. Never throws: what cannot be read is unknown once it has expired. */
  async read(): Promise<readonly CellBeacons[]> {
    const { nowMs, onError, cells, regions, policy } = this.#options;
    this.#startWhole();
    try {
      await this.#trouble.read(TROUBLE_TIMEOUT_MS, (items) => this.#remember(items));
      this.#problems.delete('index');
    } catch (error) {
      this.#failed('index', error);
      onError(error);
    }
    const isComplete = this.#isComplete;
    const memory = isComplete ? this.#withoutStrangers() : this.#memory;
    return judgeBeacons({ memory, cells, regions, policy, nowMs: nowMs(), isComplete });
  }

  /** How this observer stands with the table, small enough to be stored. */
  get table(): BeaconTable {
    const { cells, nowMs } = this.#options;
    const [problem] = [...this.#problems.values()].toSorted((a, b) => a.sinceMs - b.sinceMs);
    const facts = {
      ...this.#found,
      isComplete: this.#isComplete,
      ...(problem === undefined ? {} : { problem }),
      // A source that is skipped now is told at once, and not when the whole table has been read.
      ...(this.#flooding === undefined ? {} : { flooding: this.#flooding }),
    };
    return smallTable(facts, sourcesByCell(this.#memory, { cells, nowMs: nowMs() }));
  }

  get #isComplete(): boolean {
    return this.#options.nowMs() - this.#completeAtMs <= KNOWN_FOR_READINGS * this.#wholeEveryMs();
  }

  /**
   * The beacons of sources that the last whole reading has found. A source that is known by its trouble alone has come
   * since, and who is well beside it is not known yet: it would be a quorum of itself. The next reading is then sooner.
   */
  #withoutStrangers(): BeaconMemory {
    const isKnown = ({ source }: Beacon): boolean => this.#known.has(source);
    const entries = [...this.#memory];
    if (entries.every(([, beacon]) => isKnown(beacon))) return this.#memory;
    this.#wholeDueMs = Math.min(this.#wholeDueMs, this.#sweepStartedMs + STRANGERS_AFTER_MS);
    return new Map(entries.filter(([, beacon]) => isKnown(beacon)));
  }

  #failed(what: 'index' | 'table', error: unknown): void {
    const errorClass: ErrorClass = explain(error).errorClass;
    const sinceMs = this.#problems.get(what)?.sinceMs ?? this.#options.nowMs();
    this.#problems.set(what, { errorClass, sinceMs });
  }

  /** Resolves when nothing is read in the background. */
  async settled(): Promise<void> {
    await this.#reading;
  }

  #startWhole(): void {
    if (this.#reading !== undefined || this.#options.nowMs() < this.#wholeDueMs) return;
    this.#reading = this.#readWhole().finally(() => {
      this.#reading = undefined;
    });
  }

  async #readWhole(): Promise<void> {
    const { nowMs, onError } = this.#options;
    if (this.#whole.isAtStart) {
      this.#sweepStartedMs = nowMs();
      this.#flooding = undefined;
      this.#sweeping = new Set();
    }
    try {
      const isAtEnd = await this.#whole.read(WHOLE_TIMEOUT_MS, (items) => {
        for (const item of items) this.#sweeping.add(sourceOf(item));
        this.#remember(items);
      });
      this.#problems.delete('table');
      if (isAtEnd) this.#completed();
      else return;
    } catch (error) {
      this.#wholeDueMs = nowMs() + AFTER_FAILURE_MS;
      this.#failed('table', error);
      onError(error);
      return;
    }
    await this.#tellFleet().catch(onError);
  }

  #completed(): void {
    const { nowMs, onIgnored } = this.#options;
    this.#completeAtMs = this.#sweepStartedMs;
    this.#known = this.#sweeping;
    this.#wholeDueMs = this.#sweepStartedMs + this.#wholeEveryMs();
    const ignored = this.#ignored;
    this.#ignored = {};
    if (Object.keys(ignored).length > 0) onIgnored(ignored);
    const flooding = this.#flooding;
    this.#found = {
      completeAtMs: this.#completeAtMs,
      sources: fleetOf(this.#memory, nowMs()).sources,
      ignored,
      ...(flooding === undefined ? {} : { flooding }),
    };
  }

  #remember(items: readonly unknown[]): void {
    const { memory, ignored } = rememberBeacons(this.#memory, { items, nowMs: this.#options.nowMs() });
    this.#memory = memory;
    for (const [because, count] of Object.entries(ignored)) {
      this.#ignored[because] = (this.#ignored[because] ?? 0) + count;
    }
  }

  #wholeEveryMs(): number {
    const { beacons } = fleetOf(this.#memory, this.#options.nowMs());
    return healthIntervalMs(beacons) * WHOLE_EVERY_SHARE;
  }

  async #tellFleet(): Promise<void> {
    const { client, table, nowMs, tellsFleet } = this.#options;
    if (!tellsFleet) return;
    const fleet = fleetOf(this.#memory, nowMs());
    const item = { v: BEACON_VERSION, ...fleet, every: healthIntervalMs(fleet.beacons), at: nowMs() };
    const command = new PutCommand({ TableName: table, Item: { ...FLEET_KEY, ...item } });
    await client.send(command, { abortSignal: AbortSignal.timeout(TROUBLE_TIMEOUT_MS) });
  }
}
