import type { CellAnswer } from '../../lib/conductor/cell-answer.ts';
import type { RunReport } from '../../lib/conductor/input.ts';
import type { StandbyConsumer, Taker } from '../../lib/consumers/takers.ts';
import type { DeployedCell } from '../../lib/settings/cells-file.ts';
import type { ConductorSettings } from '../../lib/settings/conductor.ts';
import type { StateTable } from '../../lib/state/state-table.ts';
import type { ObserverReport } from '../core/conductor-observers.ts';
import type { ConsumerDigest } from '../core/consumer-digest.ts';
import type { CellCapacity, StandbySeen } from '../core/fitness.ts';
import type { Quorum } from '../core/lifecycle.ts';
import type { RunState } from './run-state.ts';

export interface Arrivals {
  /** Streams in which a record has arrived since the given time. */
  readonly seen: readonly string[];
  /** Streams in which all shards were read and no record was seen: the cell may be idle. */
  readonly silent: readonly string[];
  /** Streams in which no record was seen, but not every shard could be read. `why` is a sentence. */
  readonly unknown: readonly { readonly stream: string; readonly why: string }[];
  readonly unreadable: readonly string[];
}

/**
 * Everything outside that a step uses. All of it is in the standby or in DNS, except the witnesses' reports.
 */
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
  /** Which consumers of streams of the standby have taken up records of this time or later. Never throws. */
  readonly readTakers: (consumers: readonly StandbyConsumer[], sinceMs: number) => Promise<readonly Taker[]>;
  /** Who would read the cells' streams in the standby, as the survey has stored it. */
  readonly readDigests: () => Promise<readonly ConsumerDigest[]>;
  /** Reads the reports of all observers that answer in time. */
  readonly readReports: () => Promise<readonly ObserverReport[]>;
  /** The standby's canary, as its own observer sees it. */
  readonly readStandbyLevels: () => Promise<StandbySeen>;
  /** Reports to people. Never throws. Returns which reports could not be delivered, and to whom. */
  readonly tell: (report: RunReport, text: string) => Promise<readonly string[]>;
}

export type Capacities = readonly CellCapacity[];
export type Step = (state: RunState, conductor: Conductor) => Promise<RunState>;
