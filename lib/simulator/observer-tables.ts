import { type ControlReading, parseControl } from '../../lambda/core/control.ts';
import type { Latch } from '../../lambda/core/lifecycle.ts';
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
  readonly switchItems: () => readonly unknown[];
}

export interface StateReading {
  readonly control: ControlReading;
  readonly latch: Latch;
  readonly tookMs: number;
}

/** The tables of lambda/observer/store.ts: its own, and the standby's. What is in its own is kept by the observer. */
export class ObserverTables {
  readonly #options: TablesOptions;
  readonly #calls: Readonly<Record<'takeOver' | 'save' | 'control' | 'latch', KnownCall>>;
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
    return {
      control: control.ok ? parseControl(this.#options.controlItem()) : 'unreadable',
      latch: latchOf(latch.ok ? this.#options.switchItems() : 'unreadable', this.#options.groups),
      tookMs: Math.max(control.latencyMs, latch.latencyMs),
    };
  }

  #ask(call: KnownCall, atMs: number): ReturnType<typeof outcomeOf> {
    return outcomeOf(call, this.#options.calls.fate(call, atMs, this.#dice.next), STORE_TIMEOUT_MS);
  }
}
