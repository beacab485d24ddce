import { type DynamoDBDocumentClient, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { BEACON_VERSION, FLEET_KEY, healthIntervalMs } from '../core/beacon-item.ts';
import { type BeaconMemory, fleetOf, type IgnoredBeacons, rememberBeacons } from '../core/beacon-memory.ts';
import { type BeaconCell, type CellBeacons, judgeBeacons } from '../core/beacons.ts';
import { TROUBLE_INDEX } from '../core/names.ts';
import type { Policy } from '../core/policy.ts';
import type { Role } from '../core/role.ts';

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
  readonly onError: (error: unknown) => void;
}

/** Longest wait of a round. */
const TROUBLE_TIMEOUT_MS = 1_500;
/** Longest reading of the whole table, which no round waits for. */
const WHOLE_TIMEOUT_MS = 10_000;
/** A page is 1 MB: more than a thousand beacons. What does not fit is read by the next reading, from there on. */
const MOST_PAGES = 20;
/** Share of the interval of the writers in which the whole table is read once: a minute for 90 s. */
const WHOLE_EVERY_SHARE = 2 / 3;
const AFTER_FAILURE_MS = 15_000;
/** The whole table is known for this many of its readings. */
const KNOWN_FOR_READINGS = 3;

/**
 * Reads the beacons: those that report trouble in every round, by their small index, and all of them once a minute in the
 * background, because a quorum needs to know of how many it is one.
 */
export class BeaconReader {
  readonly #options: BeaconReaderOptions;
  readonly #trouble: Sweep;
  readonly #whole: Sweep;
  #memory: BeaconMemory = new Map();
  #ignored: Partial<Record<string, number>> = {};
  #wholeDueMs = Number.NEGATIVE_INFINITY;
  #sweepStartedMs = Number.NaN;
  #completeAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(options: BeaconReaderOptions) {
    this.#options = options;
    this.#trouble = new Sweep(options, TROUBLE_INDEX);
    this.#whole = new Sweep(options, undefined);
  }

  /** What the producers of each cell report. Never throws: what cannot be read is unknown once it has expired. */
  async read(): Promise<readonly CellBeacons[]> {
    const { nowMs, onError, cells, regions, policy } = this.#options;
    this.#startWhole();
    try {
      await this.#trouble.read(TROUBLE_TIMEOUT_MS, (items) => this.#remember(items));
    } catch (error) {
      onError(error);
    }
    const atMs = nowMs();
    const isComplete = atMs - this.#completeAtMs <= KNOWN_FOR_READINGS * this.#wholeEveryMs();
    return judgeBeacons({ memory: this.#memory, cells, regions, policy, nowMs: atMs, isComplete });
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
    const { nowMs, onError, onIgnored } = this.#options;
    if (this.#whole.isAtStart) this.#sweepStartedMs = nowMs();
    try {
      const isAtEnd = await this.#whole.read(WHOLE_TIMEOUT_MS, (items) => this.#remember(items));
      if (!isAtEnd) return;
      this.#completeAtMs = this.#sweepStartedMs;
      this.#wholeDueMs = this.#sweepStartedMs + this.#wholeEveryMs();
      if (Object.keys(this.#ignored).length > 0) onIgnored(this.#ignored);
      this.#ignored = {};
      await this.#tellFleet();
    } catch (error) {
      this.#wholeDueMs = nowMs() + AFTER_FAILURE_MS;
      onError(error);
    }
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

type Key = Record<string, unknown>;

/** Goes through the table, or an index, part by part; begins again when it has come to the end. */
class Sweep {
  readonly #options: BeaconReaderOptions;
  readonly #index: string | undefined;
  #from: Key | undefined;

  constructor(options: BeaconReaderOptions, index: string | undefined) {
    this.#options = options;
    this.#index = index;
  }

  get isAtStart(): boolean {
    return this.#from === undefined;
  }

  /**
   * Reads the next part, page by page; true at the end. @throws when the table does not answer in time: then the next
   * reading goes on after the last page
   */
  async read(timeoutMs: number, onPage: (items: readonly unknown[]) => void): Promise<boolean> {
    const { client, table } = this.#options;
    const abortSignal = AbortSignal.timeout(timeoutMs);
    for (let page = 0; page < MOST_PAGES; page++) {
      const command = new ScanCommand({
        TableName: table,
        ...(this.#index === undefined ? {} : { IndexName: this.#index }),
        ...(this.#from === undefined ? {} : { ExclusiveStartKey: this.#from }),
      });
      const answer = await client.send(command, { abortSignal });
      onPage(answer.Items ?? []);
      this.#from = answer.LastEvaluatedKey;
      if (this.#from === undefined) return true;
    }
    return false;
  }
}
