import type { StateTable, StoredSwitch } from '../../lib/state/state-table.ts';
import type { ControlReading } from '../core/control.ts';
import type { StoredPositions } from '../core/endpoint-stored.ts';
import type { Quorum } from '../core/lifecycle.ts';
import type { MonitorReadings } from '../core/monitor.ts';
import type { EndpointWatch } from './endpoint-watch.ts';
import type { RecurringWatch } from './recurring-watch.ts';

export interface Sources {
  readonly nowMs: () => number;
  readonly state: Pick<StateTable, 'readControl' | 'readSwitches'>;
  readonly recurring: Pick<RecurringWatch, 'look'>;
  readonly endpoints: Pick<EndpointWatch, 'look'>;
  /** Groups that are deployed: the switch of a removed cell stays in the table, and must not count. */
  readonly groups: readonly string[];
  /** One reader for each observer. Each is bounded by its own time-out, and none of them throws. */
  readonly observers: readonly {
    readonly region: string;
    readonly read: () => Promise<Record<string, unknown> | undefined>;
  }[];
  readonly readQuorum: () => Promise<Quorum>;
}

type Observers = MonitorReadings['observers'];

/** Collects what the monitor judges: tables, observers, DNS and endpoints, all asked at the same time. */
export class ReadingsCollector {
  readonly #sources: Sources;
  readonly #groups: ReadonlySet<string>;

  constructor(sources: Sources) {
    this.#sources = sources;
    this.#groups = new Set(sources.groups);
  }

  /** Collects all readings. Never throws: a source that does not answer is undefined. */
  async collect(): Promise<MonitorReadings> {
    const { state, recurring, endpoints, readQuorum, nowMs } = this.#sources;
    const first = this.#readStored();
    let isFirst = true;
    const stored = async (): Promise<StoredPositions> => {
      const read = isFirst ? first : this.#readStored();
      isFirst = false;
      return positionsOf(await read);
    };
    const [{ observers, switches }, quorum, control, work, asked] = await Promise.all([
      first,
      readQuorum(),
      orUndefined<ControlReading>(state.readControl()),
      recurring.look(),
      endpoints.look(stored),
    ]);
    return {
      nowMs: nowMs(),
      observers,
      quorum,
      control,
      switchesInStandby: switches?.filter(
        ({ group, position }) => position === 'STANDBY' && this.#groups.has(group),
      ).length,
      work,
      endpoints: asked,
    };
  }

  async #readStored(): Promise<Stored> {
    const { state, observers } = this.#sources;
    const [items, switches] = await Promise.all([
      Promise.all(observers.map(async ({ region, read }) => ({ region, item: await read() }))),
      orUndefined(state.readSwitches()),
    ]);
    return { observers: items, switches };
  }
}

interface Stored {
  readonly observers: Observers;
  readonly switches: readonly StoredSwitch[] | undefined;
}

const positionsOf = ({ observers, switches }: Stored): StoredPositions => ({
  votes: new Map(
    observers.flatMap(({ region, item }) => (item === undefined ? [] : [[region, item] as const])),
  ),
  switches: switches === undefined ? undefined : new Map(switches.map((one) => [one.group, one])),
});

const orUndefined = <Value>(promise: Promise<Value>): Promise<Value | undefined> =>
  promise.catch(() => undefined);
