import type { CountLimit } from './count-shard.ts';
import type { ConsumerName, PlaceSource } from './positions.ts';

/** What was written to an old stream and not read there, as `spillway stranded --json` prints it. */
export interface StrandedDocument {
  /** Nothing is stranded, and that is certain: all was counted, no place is a guess, and no finding is `bad`. */
  readonly ok: boolean;
  readonly name: 'stranded';
  readonly atMs: number;
  /** The region of the old streams. */
  readonly region: string;
  readonly cells: readonly StrandedCell[];
  readonly findings: readonly StrandedFinding[];
  /**
   * The command to run before `next`, where what is counted is only the most that may be unread: an enabled consumer in a
   * recovered region reads on by itself, and a copy of what it reads is a duplicate. Null: there is no need.
   */
  readonly first: string | null;
  /** The command that copies what is stranded; null when there is nothing to copy. */
  readonly next: string | null;
}

export interface StrandedFinding {
  /** `unknown`: something could not be read, and may be read later. */
  readonly level: 'bad' | 'unknown' | 'note';
  readonly cell: string;
  readonly text: string;
  readonly run?: string;
}

/** Records that nobody has read, or not the slowest of those who should. */
export interface Stranded {
  /** Without marked records of observers; those of an aggregate one by one. */
  readonly records: number;
  readonly bytes: number;
  readonly probes: number;
  /** When the oldest of the records arrived. */
  readonly oldestMs: number | null;
  /** Hours until retention takes the oldest; null without any. */
  readonly hoursLeft: number | null;
}

export interface StrandedCell extends Stranded {
  readonly cell: string;
  readonly stream: string;
  readonly region: string;
  /** Whether traffic was moved away from this stream; where it was not, consumers there read on. Null: not known. */
  readonly moved: boolean | null;
  /** False: there are at least so many, and why is in the findings. */
  readonly complete: boolean;
  /** The place of a consumer is known only as one that it had passed: there may be fewer, or none. */
  readonly atMost: boolean;
  readonly retentionHours: number | null;
  readonly damaged: number;
  /** Records that a consumer has not read may have expired already. */
  readonly mayHaveExpired: boolean;
  readonly newestMs: number | null;
  /** What is behind the slowest consumer of each shard; shards without any are left out. */
  readonly shards: readonly StrandedShard[];
  readonly consumers: readonly StrandedConsumer[];
  /** The mark of an earlier drain; null: none since the cell was moved. */
  readonly drained: DrainedMark | null;
}

export interface DrainedMark {
  readonly epoch: number;
  readonly atMs: number;
  /** What a drain copied; absent when a person marked the cell. */
  readonly window?: { readonly fromMs: number; readonly toMs: number };
}

export interface StrandedShard extends Stranded {
  readonly shardId: string;
  readonly complete: boolean;
  /** Why there may be more; absent: there is not, or the shard could not be read. */
  readonly cut?: CountLimit;
}

export interface StrandedConsumer extends ConsumerName, Stranded {
  /** The counts are those of records that were not read; else, of so many at most. */
  readonly exact: boolean;
  /** The contrary of `exact`. */
  readonly atMost: boolean;
  readonly complete: boolean;
  readonly from: { readonly by: PlaceSource; readonly because: string; readonly atMs: number | null };
  readonly shards: readonly ConsumerShard[];
}

export interface ConsumerShard extends Stranded {
  readonly shardId: string;
  /** The record at which the consumer stands, if it stands at one. */
  readonly after?: { readonly sequenceNumber: string; readonly subSequenceNumber: number };
  /** The time up to which it has read, if that is all that is known. */
  readonly atMs?: number;
  readonly cut?: CountLimit;
}
