import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashKeyOf, LAST_HASH_KEY } from '../../../lib/aggregate/keys.ts';
import { ShardMap, type ShardRange } from '../../../lib/producer/aggregation/shard-map.ts';
import { hashPlaceOf } from '../../../lib/producer/hot-shards.ts';

/** Hash keys that are likely to share their first 48 bits with another one. */
const hashKey = fc.oneof(
  fc.bigInt(0n, LAST_HASH_KEY),
  fc.tuple(fc.bigInt(0n, 2n ** 48n - 1n), fc.bigInt(0n, 3n)).map(([high, low]) => (high << 80n) + low),
);

/** Shards that begin at these hash keys. */
function shardsOf(starts: readonly bigint[]): readonly ShardRange[] {
  const sorted = [...new Set([0n, ...starts])].toSorted((a, b) => (a < b ? -1 : 1));
  return sorted.map((first, n) => ({
    id: `shardId-${String(n).padStart(12, '0')}`,
    first,
    last: (sorted[n + 1] ?? LAST_HASH_KEY + 1n) - 1n,
  }));
}
const layout = fc.array(hashKey, { maxLength: 20 }).map(shardsOf);
const keysAround = (shards: readonly ShardRange[]) =>
  fc.oneof(
    fc.record({ partitionKey: fc.string({ minLength: 1, unit: 'grapheme' }) }),
    fc.record({ partitionKey: fc.constant('k'), explicitHashKey: hashKey.map(String) }),
    fc.constantFrom(...shards.flatMap(({ first, last }) => [first, last])).map((end) => ({
      partitionKey: 'k',
      explicitHashKey: String(end),
    })),
  );

describe('a shard map', () => {
  it('finds the shard that has the hash key, to the last bit', () => {
    fc.assert(
      fc.property(
        layout.chain((shards) =>
          fc.tuple(
            fc.constant(shards),
            fc.shuffledSubarray([...shards], { minLength: shards.length }),
            keysAround(shards),
          ),
        ),
        ([shards, listed, keys]) => {
          const map = ShardMap.of(listed) as ShardMap;
          const place = hashPlaceOf(
            keys.partitionKey,
            'explicitHashKey' in keys ? keys.explicitHashKey : undefined,
          );
          const wanted = shards.find(
            ({ first, last }) => first <= hashKeyOf(keys) && hashKeyOf(keys) <= last,
          );
          expect(map.idOf(map.indexOf(keys, place as number))).toBe(wanted?.id);
          for (const { id } of shards) expect(map.owns(id, [keys])).toBe(id === wanted?.id);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is none where a hash key has no shard, or two', () => {
    fc.assert(
      fc.property(
        layout,
        fc.nat(),
        fc.constantFrom('missing', 'twice', 'short', 'long'),
        (shards, n, flaw) => {
          const at = n % shards.length;
          const one = shards[at] as ShardRange;
          const others = shards.filter((_, index) => index !== at);
          const flawed = {
            missing: others,
            twice: [...shards, one],
            short: [...others, { ...one, last: one.last - 1n }],
            long: [...others, { ...one, last: one.last + 1n }],
          }[flaw];
          expect(ShardMap.of(flawed)).toBeUndefined();
        },
      ),
    );
  });

  it('says of a shard that it does not have that it does not know', () => {
    expect(ShardMap.of(shardsOf([]))?.owns('shardId-000000000009', [{ partitionKey: 'k' }])).toBeUndefined();
  });
});
