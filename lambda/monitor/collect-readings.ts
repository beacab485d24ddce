import type { StateTable } from '../../lib/state/state-table.ts';
import type { ControlReading } from '../core/control.ts';
import type { Quorum } from '../core/lifecycle.ts';
import type { MonitorReadings } from '../core/monitor.ts';
import type { RecurringWatch } from './recurring-watch.ts';

export interface Sources {
  readonly nowMs: () => number;
  readonly state: Pick<StateTable, 'readControl' | 'readSwitches'>;
  readonly recurring: Pick<RecurringWatch, 'look'>;
  /** Groups that are deployed: the switch of a removed cell stays in the table, and must not count. */
  readonly groups: readonly string[];
  /** One reader for each observer. Each is bounded by its own time-out, and none of them throws. */
  readonly observers: readonly {
    readonly region: string;
    readonly read: () => Promise<Record<string, unknown> | undefined>;
  }[];
  readonly readQuorum: () => Promise<Quorum>;
}

/** Collects what the monitor judges: tables, observers and DNS, all asked at the same time. */
export class ReadingsCollector {
  readonly #sources: Sources;
  readonly #groups: ReadonlySet<string>;

  constructor(sources: Sources) {
    this.#sources = sources;
    this.#groups = new Set(sources.groups);
  }

  /** Collects all readings. Never throws: a source that does not answer is undefined. */
  async collect(): Promise<MonitorReadings> {
    const { state, recurring, observers, readQuorum, nowMs } = this.#sources;
    const [items, quorum, control, switches, work] = await Promise.all([
      Promise.all(observers.map(async ({ region, read }) => ({ region, item: await read() }))),
      readQuorum(),
      orUndefined<ControlReading>(state.readControl()),
      orUndefined(state.readSwitches()),
      recurring.look(),
    ]);
    return {
      nowMs: nowMs(),
      observers: items,
      quorum,
      control,
      switchesInStandby: switches?.filter(
        ({ group, position }) => position === 'STANDBY' && this.#groups.has(group),
      ).length,
      work,
    };
  }
}

const orUndefined = <Value>(promise: Promise<Value>): Promise<Value | undefined> =>
  promise.catch(() => undefined);
