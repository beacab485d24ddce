import type { CellAnswer } from '../../lib/conductor/cell-answer.ts';
import type { RunReport } from '../../lib/conductor/input.ts';
import type { DeployedCell } from '../../lib/settings/cells-file.ts';
import type { ConductorSettings } from '../../lib/settings/conductor.ts';
import type { StateTable } from '../../lib/state/state-table.ts';
import type { ObserverReport } from '../core/conductor-observers.ts';
import type { CellCapacity } from '../core/fitness.ts';
import type { Quorum } from '../core/lifecycle.ts';
import type { RegionLevels } from '../core/observation.ts';
import type { RunState } from './run-state.ts';

export interface Arrivals {
  /** Streams in which a record has arrived since then. */
  readonly seen: readonly string[];
  /** Nothing to see, wherever there could be: the cell may be idle. */
  readonly silent: readonly string[];
  /** None was seen, and not all of it could be looked at. `why` is a sentence. */
  readonly unknown: readonly { readonly stream: string; readonly why: string }[];
  readonly unreadable: readonly string[];
}

/** Everything outside that a step touches; all of it in the standby or in DNS, but for the witnesses' reports. */
export interface Conductor {
  readonly settings: ConductorSettings;
  readonly state: Pick<
    StateTable,
    | 'readControl'
    | 'readSwitches'
    | 'setSwitch'
    | 'newestEpoch'
    | 'readClaim'
    | 'takeLease'
    | 'readLease'
    | 'releaseLease'
    | 'journalOnce'
    | 'wasJournalled'
    | 'readCapacities'
    | 'readDrained'
  >;
  readonly cells: readonly DeployedCell[];
  readonly nowMs: () => number;
  readonly readQuorum: () => Promise<Quorum>;
  readonly askSignals: (cells: readonly string[]) => Promise<readonly CellAnswer[]>;
  readonly readArrivals: (streams: readonly string[], sinceMs: number) => Promise<Arrivals>;
  /** Of every observer that answers in time. */
  readonly readReports: () => Promise<readonly ObserverReport[]>;
  /** The standby's canary, as its own observer sees it. */
  readonly readStandbyLevels: () => Promise<
    Pick<RegionLevels, 'kinesisWrite' | 'kinesisRead' | 'reachability'>
  >;
  /** Never throws. Returns what could not be told, and to whom. */
  readonly tell: (report: RunReport, text: string) => Promise<readonly string[]>;
}

export type Capacities = readonly CellCapacity[];
export type Step = (state: RunState, conductor: Conductor) => Promise<RunState>;
