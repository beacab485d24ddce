import type { Acknowledged } from '../../lambda/core/arrival.ts';
import type { DrillFacts } from '../../lambda/core/drill.ts';
import type { EpochClaim } from '../../lambda/core/epoch.ts';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import type { MetricValues } from '../../lambda/core/metrics.ts';
import type { ConductorStart } from '../conductor/input.ts';
import type { RunState, Started } from '../operate/conductor.ts';

/** A put of the drill's own producer that a stream has taken. */
export interface DrillPut extends Acknowledged {
  readonly id: string;
}

export interface DrillProducer {
  readonly name: string;
  /** The puts so far, in the order of arrival. */
  readonly acknowledged: readonly DrillPut[];
  /** Delivers what the producer still holds, for a limited time. */
  stop(): Promise<void>;
}

/** Everything outside the drill that a drill uses. Each call has its own time-out. */
export interface LiveDrillPorts {
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /**
   * Reads the facts for the guards. Never throws: a part that does not answer is `unreadable` in the facts.
   */
  readonly readFacts: () => Promise<DrillFacts>;
  readonly askSignal: () => Promise<DrillFacts['answer']>;
  readonly readPosition: () => Promise<DrillFacts['position']>;
  readonly claimEpoch: (claim: Omit<EpochClaim, 'epoch'>) => Promise<number>;
  readonly start: (input: ConductorStart) => Promise<Pick<Started, 'run' | 'executionArn'>>;
  readonly runState: (executionArn: string) => Promise<RunState>;
  readonly startProducer: () => DrillProducer;
  /**
   * Reads the ids of the drill's records in the streams of both regions, of the records that arrived since
   * then.
   */
  readonly readBack: (sinceMs: number) => Promise<ReadonlySet<string>>;
  readonly journal: (entry: JournalEntry, id: string) => Promise<void>;
  readonly publish: (values: MetricValues<'drill'>) => Promise<void>;
  /** Shows a line to people who wait. */
  readonly say: (text: string) => void;
}

export interface LiveDrillPlan {
  /** Id made once for each drill, which names the drill's claims, records and journal entry. */
  readonly id: string;
  readonly cell: string;
  readonly group: string;
  readonly primary: string;
  readonly standby: string;
  /** A person, or `schedule`. */
  readonly owner: string;
  readonly reason: string;
  /** When aborted, the drill goes no further, and moves the cell back. */
  readonly signal: AbortSignal;
  readonly limits?: Partial<LiveDrillLimits>;
}

/** How long each part of a drill may take, in milliseconds; together less than `DRILL_MAX_MS`. */
export interface LiveDrillLimits {
  readonly pollMs: number;
  /** Until the producer has settled in the primary, before anything moves. */
  readonly baselineMs: number;
  /** From the request until the puts have settled in the standby. */
  readonly moveMs: number;
  /**
   * The failback watches the primary this long after the release; a switch's health check changes within this
   * time.
   */
  readonly pauseMs: number;
  /** All attempts to fail back together. */
  readonly putBackMs: number;
  readonly putBackAttempts: number;
  readonly putBackRetryMs: number;
  /** After the failback has ended, until the puts have settled in the primary. */
  readonly homeMs: number;
  readonly readBackAttempts: number;
  readonly readBackRetryMs: number;
}

export const defaultLimits: LiveDrillLimits = {
  pollMs: 500,
  baselineMs: 45_000,
  moveMs: 180_000,
  pauseMs: 60_000,
  // A run that is cut short keeps the lease until its last step has given up on DNS, which may take 100 s.
  putBackMs: 360_000,
  putBackAttempts: 8,
  putBackRetryMs: 15_000,
  homeMs: 90_000,
  readBackAttempts: 4,
  readBackRetryMs: 3_000,
};

/** The time that is needed after the last move: a caller with limited time has to reserve it. */
export const reserveMs = ({ putBackMs, homeMs }: LiveDrillLimits): number => putBackMs + homeMs + 90_000;
