import type { ConsumerKind } from '../../lambda/core/consumers.ts';

/** Where a consumer stands in a shard. */
export type ShardPosition =
  /** It has read the shard to its end, or will never read it. */
  | { readonly kind: 'finished' }
  /** It has read nothing of what the shard still keeps. */
  | { readonly kind: 'oldest' }
  /** It has read what arrived before this, at least. */
  | { readonly kind: 'time'; readonly atMs: number }
  /** It has read up to this record and, in an aggregate, up to this inner record. */
  | { readonly kind: 'record'; readonly sequenceNumber: string; readonly subSequenceNumber: number };

/** How the place of a consumer is known, from the best to the least. */
export const placeSources = {
  lease: { exact: true, vouched: true, said: 'its leases' },
  'iterator age': { exact: false, vouched: true, said: 'its age in CloudWatch' },
  'since and age': {
    exact: false,
    vouched: true,
    said: 'the time given, which its age in CloudWatch confirms',
  },
  since: {
    ...{ exact: false, vouched: false, said: 'the time given' },
    doubt: 'nothing but --since says how far WHO had read',
  },
  'since after age': {
    ...{
      exact: false,
      vouched: false,
      said: 'the time given, although its age in CloudWatch is that of an earlier one',
    },
    doubt: '--since is later than the time up to which WHO is known to have read',
  },
  'uncertain age': {
    ...{
      exact: false,
      vouched: false,
      said: 'the earlier of its age in CloudWatch and the time of the move, less a margin',
    },
    doubt: 'its age in CloudWatch does not prove how far WHO had read',
  },
  'stream age': {
    ...{ exact: false, vouched: false, said: 'the age of everybody who polls the stream' },
    doubt: 'nothing shows how far WHO had read',
  },
  evacuation: {
    ...{ exact: false, vouched: false, said: 'the time of the move, less a margin' },
    doubt: 'nothing shows how far WHO had read',
  },
  retention: { exact: false, vouched: true, said: 'everything that the stream still keeps' },
} as const satisfies Readonly<Record<string, PlaceSourceFacts>>;

interface PlaceSourceFacts {
  /** The records counted are those that were not read; else they are so many at most. */
  readonly exact: boolean;
  /** What is unread cannot be outside of it; else it is a guess that people have to judge. */
  readonly vouched: boolean;
  readonly said: string;
  /** Why it is a guess; WHO is the consumer. */
  readonly doubt?: string;
}

export type PlaceSource = keyof typeof placeSources;

/** Why a place is a guess; undefined: it is none. */
export function doubtOf(by: PlaceSource, who: string): string | undefined {
  const facts: PlaceSourceFacts = placeSources[by];
  return facts.doubt?.replace('WHO', () => who);
}

export interface ConsumerName {
  /** `unknown`: the config names no consumer. */
  readonly kind: ConsumerKind | 'unknown';
  readonly name: string;
}

/** A consumer, and where it stands in each shard of a stream. */
export interface ConsumerPlace extends ConsumerName {
  readonly by: PlaceSource;
  /** What its place follows from, for people. */
  readonly because: string;
  /** The time from which everything is counted; null: shard by shard. */
  readonly atMs: number | null;
  readonly of: (shardId: string) => ShardPosition;
}

/** A record as it is compared with a position. */
export interface PlacedRecord {
  readonly sequenceNumber: string;
  /** 0 for a record of its own. */
  readonly subSequenceNumber: number;
  readonly arrivedAtMs: number;
}

/** Whether the consumer has the record still before it. */
export function isBehind(position: ShardPosition, record: PlacedRecord): boolean {
  switch (position.kind) {
    case 'finished':
      return false;
    case 'oldest':
      return true;
    case 'time':
      return record.arrivedAtMs >= position.atMs;
    case 'record': {
      const [at, mine] = [BigInt(record.sequenceNumber), BigInt(position.sequenceNumber)];
      return at === mine ? record.subSequenceNumber > position.subSequenceNumber : at > mine;
    }
    default:
      return position satisfies never;
  }
}
