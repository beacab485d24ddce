import type { ControlReading } from '../core/control.ts';
import type { Quorum } from '../core/lifecycle.ts';
import { lastDrillAtMs, type MonitorReadings } from '../core/monitor.ts';
import type { StateTable } from '../state/state-table.ts';

export interface Sources {
  readonly nowMs: () => number;
  readonly state: Pick<StateTable, 'readControl' | 'readSwitches' | 'history'>;
  /** Groups that are deployed: a removed cell's switch stays in the table, and says nothing of them. */
  readonly groups: readonly string[];
  /** Each bounded by its own time-out, and none of them throws. */
  readonly observers: readonly {
    readonly region: string;
    readonly read: () => Promise<Record<string, unknown> | undefined>;
  }[];
  readonly readQuorum: () => Promise<Quorum>;
}

/** A drill is a matter of days; the journal, of hundreds of entries, is not read every minute for it. */
const DRILL_READ_EVERY_MS = 10 * 60_000;
/** Enough to hold a week of drills and incidents, in one page of a megabyte. */
const JOURNAL_ENTRIES = 1_000;

/** Reads everything side by side. It lives as long as its function's instance, and remembers the last drill. */
export class Lookout {
  readonly #sources: Sources;
  readonly #groups: ReadonlySet<string>;
  #drill: { readonly atMs: number | null; readonly readAtMs: number } | undefined;

  constructor(sources: Sources) {
    this.#sources = sources;
    this.#groups = new Set(sources.groups);
  }

  /** Never throws: what does not answer is undefined in the readings. */
  async look(): Promise<MonitorReadings> {
    const { state, observers, readQuorum, nowMs } = this.#sources;
    const [items, quorum, control, switches, drilledAtMs] = await Promise.all([
      Promise.all(observers.map(async ({ region, read }) => ({ region, item: await read() }))),
      readQuorum(),
      orUndefined<ControlReading>(state.readControl()),
      orUndefined(state.readSwitches()),
      this.#lastDrill(),
    ]);
    return {
      nowMs: nowMs(),
      observers: items,
      quorum,
      control,
      switchesInStandby: switches?.filter(
        ({ group, position }) => position === 'STANDBY' && this.#groups.has(group),
      ).length,
      drilledAtMs,
    };
  }

  async #lastDrill(): Promise<number | null | undefined> {
    const { state, nowMs } = this.#sources;
    const known = this.#drill;
    if (known !== undefined && nowMs() - known.readAtMs < DRILL_READ_EVERY_MS) return known.atMs;
    const entries = await orUndefined(state.history(JOURNAL_ENTRIES));
    if (entries === undefined) return known?.atMs;
    this.#drill = { atMs: lastDrillAtMs(entries), readAtMs: nowMs() };
    return this.#drill.atMs;
  }
}

const orUndefined = <Value>(promise: Promise<Value>): Promise<Value | undefined> =>
  promise.catch(() => undefined);
