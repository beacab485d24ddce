import type { GroupMove, QuorumQuestion } from '../../lambda/core/cell-quorum.ts';
import type { Memory } from '../../lambda/core/memory.ts';
import type { Policy } from '../../lambda/core/policy.ts';
import type { RoundReadings, RoundResult } from '../../lambda/core/round.ts';
import type { Vote } from '../../lambda/core/vote.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { Place } from './places.ts';
import type { Routing } from './routing.ts';
import type { SimulatedSystem } from './system.ts';

/** The rules under test. The simulator takes them as arguments, so that a deliberately broken core can be run as well. */
export interface SimulatedCore {
  readonly observeRound: (memory: Memory, readings: RoundReadings, policy: Policy) => RoundResult;
  /** What the vote endpoint reads from a stored item: `liveVote` of lambda/core/vote.ts. */
  readonly liveVote: (item: unknown, nowMs: number) => Vote;
  /** Which switches a quorum of observers asks for. */
  readonly groupsToMove: (question: QuorumQuestion) => readonly GroupMove[];
}

export interface SimulationOptions {
  readonly system: SimulatedSystem;
  readonly scenario: Scenario;
  /** Everything random follows from it. */
  readonly seed: number;
  /** Noise beside the scenario's faults. Default: none. */
  readonly noise?: NoiseLevel;
  /** What latches the switches after a failover. `dead`: nothing does. Default `alive`. */
  readonly conductor?: 'alive' | 'dead';
  readonly core?: SimulatedCore;
  /** Stop early: 'decided' = at the K-th vote, for detection tables. Default: the scenario's end. */
  readonly until?: 'end' | 'decided';
  /** Every step, for a replay. */
  readonly trace?: (line: TraceEvent) => void;
  /** What operators do meanwhile. Default: nothing. */
  readonly actions?: readonly OperatorAction[];
  /** Observer, by its region, whose vote endpoint says EVACUATE whatever was decided. */
  readonly liar?: string;
  /** Observer, by its region, that is gone from this time on. */
  readonly dead?: { readonly region: string; readonly fromMs: number };
  /** For tests: false walks through every tick instead of skipping quiet stretches; the result must be the same. */
  readonly skip?: boolean;
  /** For tests: a deliberately broken tree of records and checks. */
  readonly routing?: (system: SimulatedSystem) => Routing;
}

/** Times as in the scenario. `unreadable`: the control item is damaged. `release`: the switches go back to the primary. */
export type OperatorAction =
  | { readonly kind: 'pause' | 'maintenance' | 'unreadable'; readonly atMs: number; readonly forMs: number }
  | { readonly kind: 'release'; readonly atMs: number };

export type NoiseLevel = 'none' | 'usual';

export interface TraceEvent {
  /** Virtual time since the scenario's t = 0. */
  readonly atMs: number;
  readonly what:
    | 'round'
    | 'vote'
    | 'cell'
    | 'check'
    | 'dns'
    | 'latch'
    | 'noise'
    | 'fault'
    | 'producer'
    | 'violation';
  readonly text: string;
}

export interface Violation {
  readonly atMs: number;
  /** Name of the invariant, see invariants.ts. */
  readonly invariant: string;
  readonly detail: string;
}

/** The result of one run. Times are milliseconds from the scenario's first fault; null = never. */
export interface SimulationResult {
  readonly seed: number;
  readonly verdict: 'failover' | 'hold';
  /** What most observers concluded: at their vote, or else the gravest that was not Healthy. */
  readonly diagnosis: string;
  /** The K-th observer's EVACUATE was stored. */
  readonly decideMs: number | null;
  /** K observers first said at once that the primary is at fault: the alarm `primary impaired` begins to count. */
  readonly pagedMs: number | null;
  /** DNS first answered with the standby, for any cell. */
  readonly flipMs: number | null;
  /** The last producer's first put in the standby, of all cells that moved. */
  readonly rtoMs: number | null;
  /** Changes of a signal's answer, of the cell that has most. */
  readonly flips: number;
  /** When DNS answered with the primary again, for any cell. */
  readonly returnMs: number | null;
  readonly violations: readonly Violation[];
  /** Votes that went from HOLD to EVACUATE, over all observers. */
  readonly votesCast: number;
  /** Where each cell was at the end. */
  readonly cells: Readonly<Record<string, Place>>;
  /** Moves of a cell that were not moves of the region. */
  readonly cellFailovers: number;
}

/** A year (or some) of nothing but noise. */
export interface YearsOptions {
  readonly system: SimulatedSystem;
  readonly years: number;
  readonly seed: number;
  readonly core?: SimulatedCore;
  /** For tests: true walks through every tick instead of skipping quiet stretches; the result must be the same. */
  readonly walk?: boolean;
  readonly trace?: (line: TraceEvent) => void;
}

export interface YearsResult {
  readonly years: number;
  /** Times the region moved, and every cell with it. */
  readonly failovers: number;
  /** Moves of a cell that were not moves of the region. */
  readonly cellFailovers: number;
  /** Votes that went from HOLD to EVACUATE, of any observer. */
  readonly observerAlarms: number;
  readonly violations: readonly Violation[];
  /** Rounds that were computed, and rounds that were proven idle and skipped. */
  readonly rounds: { readonly computed: number; readonly skipped: number };
}
