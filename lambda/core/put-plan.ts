import type { Policy } from './policy.ts';

/** The operations that write records. Producers use both, and each has front ends that may fail alone. */
export const putOperations = ['PutRecords', 'PutRecord'] as const;
export type PutOperation = (typeof putOperations)[number];

/**
 * Parts of the canary's hash range, each aimed at by an explicit hash key. An on-demand stream begins with
 * four shards ("Choose the right stream mode", Amazon Kinesis Data Streams Developer Guide), so each part is
 * a shard of its own, and no single shard can speak for the region.
 */
export const CANARY_SHARDS = 4;

/**
 * Shards of the standby's canary. The failing fraction there only lowers the gain, so two are enough for one
 * dead shard not to forbid an evacuation, and cost less than a stream on demand.
 */
export const STANDBY_CANARY_SHARDS = 2;

/** Puts of a round in which the observer suspects something, or one of the first puts has failed. */
const PUTS_OF_A_CLOSER_LOOK = 10;

/** Most puts that one round may make to one region. */
export const maxPuts = ({ putsPerRound }: Pick<Policy, 'putsPerRound'>): number =>
  Math.max(putsPerRound, PUTS_OF_A_CLOSER_LOOK);

export interface PutPlace {
  readonly operation: PutOperation;
  /** From 0 to below `CANARY_SHARDS`. */
  readonly shard: number;
}

/**
 * Where the n-th put of a round goes (n from 0). Operations and shards take turns from round to round: eight
 * puts in a row are one of each operation to each shard.
 */
export function putPlace(round: { readonly ticks: number; readonly n: number }, policy: Policy): PutPlace {
  const count = round.ticks * policy.putsPerRound + round.n;
  return {
    operation: putOperations[count % putOperations.length] ?? 'PutRecords',
    shard: Math.floor(count / putOperations.length) % CANARY_SHARDS,
  };
}

const EVERY_PLACE = putOperations.length * CANARY_SHARDS;
/** By the first count of a round: the places of as many puts as a round can make. */
const plans = new Map<string, readonly PutPlace[]>();

/** Where each put of a round goes, in order; all that it may make. */
export function putPlaces(ticks: number, policy: Policy): readonly PutPlace[] {
  const most = maxPuts(policy);
  const key = `${(ticks * policy.putsPerRound) % EVERY_PLACE} ${most}`;
  const known = plans.get(key);
  if (known !== undefined) return known;
  const places = Array.from({ length: most }, (_, n) => putPlace({ ticks, n }, policy));
  plans.set(key, places);
  return places;
}

const HASH_KEYS = 2n ** 128n;

/** The middle of a shard's part of the hash range, as `ExplicitHashKey` wants it: a decimal number. */
export const hashKeyOf = (shard: number): string =>
  String(((2n * BigInt(shard) + 1n) * HASH_KEYS) / (2n * BigInt(CANARY_SHARDS)));
