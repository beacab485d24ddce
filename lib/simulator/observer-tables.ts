import { type ControlReading, parseControl } from '../../lambda/core/control.ts';
import type { Latch } from '../../lambda/core/lifecycle.ts';
import type { GroupSwitch } from '../../lambda/core/streams.ts';
import { latchOf } from '../../lambda/core/switch.ts';
import { type Calls, type KnownCall, outcomeOf } from './calls.ts';
import { STORE_TIMEOUT_MS } from './observer-times.ts';
import { Dice } from './random.ts';

export interface TablesOptions {
  readonly calls: Calls;
  readonly region: string;
  readonly standby: string;
  readonly seed: number;
  /** Switches there are. */
  readonly groups: number;
  /** Items of the standby's state table. */
  readonly controlItem: () => unknown;
  readonly switchItems: () => readonly GroupSwitch[];
  /** Producers report to a table in the standby. */
  readonly hasBeacons: boolean;
}

export interface StateReading {
  readonly control: ControlReading;
  readonly latch: Latch;
  /** The switches that were ever set; undefined: they could not be read. */
  readonly switches: readonly GroupSwitch[] | undefined;
  /** The table of beacons answered, or there is none. */
  readonly beaconsRead: boolean;
  readonly tookMs: number;
}

/** The tables of lambda/observer/store.ts: its own, and the standby's. What is in its own is kept by the observer. */
export class ObserverTables {
  readonly #options: TablesOptions;
  readonly #calls: Readonly<Record<'takeOver' | 'save' | 'control' | 'latch' | 'beacons', KnownCall>>;
  readonly #dice = new Dice();

  constructor(options: TablesOptions) {
    this.#options = options;
    const { calls, region, standby } = options;
    const table = (where: string, operation: string): KnownCall =>
      calls.know({ source: region, region: where, service: 'dynamodb', operation });
    this.#calls = {
      takeOver: table(region, 'UpdateItem'),
      save: table(region, 'PutItem'),
      control: table(standby, 'GetItem'),
      latch: table(standby, 'Query'),
      beacons: table(standby, 'Query'),
    };
  }

  get known(): readonly KnownCall[] {
    return Object.values(this.#calls);
  }

  /** Whether its own table answers. */
  reaches(operation: 'takeOver' | 'save', atMs: number): boolean {
    this.#dice.at(this.#options.seed, 4, atMs);
    return this.#ask(this.#calls[operation], atMs).ok;
  }

  readState(atMs: number, round: number): StateReading {
    this.#dice.at(this.#options.seed, 3, round);
    const control = this.#ask(this.#calls.control, atMs);
    const latch = this.#ask(this.#calls.latch, atMs);
    const beacons = this.#options.hasBeacons ? this.#ask(this.#calls.beacons, atMs) : control;
    const items = latch.ok ? this.#options.switchItems() : undefined;
    return {
      control: control.ok ? parseControl(this.#options.controlItem()) : 'unreadable',
      latch: latchOf(items ?? 'unreadable', this.#options.groups),
      switches: items,
      beaconsRead: beacons.ok || !this.#options.hasBeacons,
      tookMs: Math.max(control.latencyMs, latch.latencyMs, beacons.latencyMs),
    };
  }

  #ask(call: KnownCall, atMs: number): ReturnType<typeof outcomeOf> {
    return outcomeOf(call, this.#options.calls.fate(call, atMs, this.#dice.next), STORE_TIMEOUT_MS);
  }
}
