import type { Shard } from '@aws-sdk/client-kinesis';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Lease, LeaseCheckpoint } from '../../lib/consumers/lease-item.ts';
import { lastAtTip, readUntil } from '../../lib/stranded/age-places.ts';
import { leasePlaces } from '../../lib/stranded/lease-places.ts';
import { isBehind, type ShardPosition } from '../../lib/stranded/positions.ts';

const lease = (shardId: string, checkpoint: LeaseCheckpoint): Lease => ({
  ...{ leaseKey: shardId, shardId, checkpoint, counter: 1, ownerSwitches: 0, parents: [], children: [] },
});
const at = (sequenceNumber: string, subSequenceNumber = 0): LeaseCheckpoint => ({
  ...{ kind: 'record', sequenceNumber, subSequenceNumber },
});
const unbegun: ShardPosition = { kind: 'time', atMs: 7 };
/** `a` was split into `b` and `c`; `c` and `d` were merged into `e`. */
const shards: readonly Shard[] = [['a'], ['b', 'a'], ['c', 'a'], ['d'], ['e', 'c', 'd']].map(
  ([ShardId, ParentShardId, AdjacentParentShardId]) => ({
    ...{
      ShardId,
      ParentShardId,
      AdjacentParentShardId,
      HashKeyRange: undefined,
      SequenceNumberRange: undefined,
    },
  }),
);
const placesOf = (leases: readonly Lease[]) => {
  const { of, ...rest } = leasePlaces(leases, { shards, unbegun });
  return { ...rest, kinds: shards.map(({ ShardId = '' }) => of(ShardId).kind).join(' ') };
};

describe('leases', () => {
  it.each([
    ['none: everything is unread', [], 'oldest oldest oldest oldest oldest'],
    [
      'a parent is finished with its lease gone, once a child has one',
      [lease('b', at('5')), lease('c', at('6'))],
      'finished record record oldest oldest',
    ],
    [
      'a grandchild says it of all before it',
      [lease('b', { kind: 'SHARD_END' }), lease('e', { kind: 'TRIM_HORIZON' })],
      'finished finished finished finished oldest',
    ],
    [
      'children without a lease are unread while their parent is read',
      [lease('a', at('5')), lease('d', { kind: 'SHARD_END' })],
      'record oldest oldest finished oldest',
    ],
    [
      'a place that only the application knows',
      [lease('a', { kind: 'LATEST' })],
      'time oldest oldest oldest oldest',
    ],
  ] as const)('%s', (_what, leases, kinds) => {
    expect(placesOf(leases).kinds).toBe(kinds);
  });

  it('name shards that were not begun, and unfinished ones that are no longer kept', () => {
    const leases = [
      lease('a', { kind: 'AT_TIMESTAMP' }),
      lease('gone-1', at('1')),
      lease('gone-2', { kind: 'SHARD_END' }),
    ];
    expect(placesOf(leases)).toMatchObject({ unbegun: ['a'], gone: ['gone-1'] });
  });
});

describe('a record', () => {
  const record = fc.record({
    sequenceNumber: fc.bigInt({ min: 1n, max: 10n ** 56n }).map(String),
    subSequenceNumber: fc.nat({ max: 100 }),
    arrivedAtMs: fc.nat(),
  });

  it('is behind a position exactly when it comes after it, in numbers and not in letters', () => {
    fc.assert(
      fc.property(record, record, (one, other) => {
        const order =
          BigInt(one.sequenceNumber) - BigInt(other.sequenceNumber) ||
          BigInt(one.subSequenceNumber - other.subSequenceNumber);
        expect(isBehind({ kind: 'record', ...other }, one)).toBe(order > 0n);
      }),
    );
    expect(
      isBehind(
        { kind: 'record', sequenceNumber: '99', subSequenceNumber: 0 },
        {
          ...{ sequenceNumber: '100', subSequenceNumber: 0, arrivedAtMs: 0 },
        },
      ),
    ).toBe(true);
  });

  it('is not behind what it was read with', () => {
    fc.assert(fc.property(record, (one) => !isBehind({ kind: 'record', ...one }, one)));
  });
});

describe('the age of a consumer', () => {
  const MINUTE_MS = 60_000;
  const ages = (...all: readonly (readonly [minute: number, maxMs: number])[]) => {
    const minutes = all.map(([minute, maxMs]) => ({ atMs: minute * MINUTE_MS, maxMs }));
    return { minutes, latest: minutes.at(-1) ?? null };
  };

  it('says what it had read at least, by the slowest of its last minutes', () => {
    expect(readUntil(ages())).toBeUndefined();
    expect(readUntil(ages([100, 2_000]))).toBe(100 * MINUTE_MS - 2_000);
    // Five minutes before the last one, and ten minutes behind.
    expect(readUntil(ages([95, 600_000], [100, 0]))).toBe(85 * MINUTE_MS);
    expect(readUntil(ages([94, 600_000], [100, 0]))).toBe(100 * MINUTE_MS);
  });

  it('never claims that a record was read which one of those minutes has before it', () => {
    const minute = fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 3_600_000 }));
    fc.assert(
      fc.property(fc.uniqueArray(minute, { minLength: 1, selector: ([n]) => n }), (some) => {
        const sorted = some.toSorted(([a], [b]) => a - b);
        const until = readUntil(ages(...sorted)) as number;
        const [last, age] = sorted.at(-1) as [number, number];
        expect(until).toBeLessThanOrEqual(last * MINUTE_MS - age);
      }),
    );
  });

  it('of all who poll says when they were last at the tip', () => {
    expect(lastAtTip(ages([1, 0], [2, 0], [3, 500]))).toBe(2 * MINUTE_MS);
    expect(lastAtTip(ages([1, 500]))).toBeUndefined();
  });
});
