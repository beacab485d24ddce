import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HotShard, HotShards, hashPlaceOf } from '../../lib/producer/hot-shards.ts';

const id = (n: number) => `shardId-${String(n).padStart(12, '0')}`;
const RING = 2 ** 48;

describe('the place of a record on the ring', () => {
  it('is where its MD5 begins, or its explicit hash key', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.bigInt(0n, 2n ** 128n - 1n), (key, explicit) => {
        const digest = BigInt(`0x${createHash('md5').update(key).digest('hex')}`);
        expect(hashPlaceOf(key, undefined)).toBe(Number(digest >> 80n));
        expect(hashPlaceOf(key, String(explicit))).toBe(Number(explicit >> 80n));
      }),
    );
  });
});

describe('hot shards', () => {
  const places = fc.array(fc.nat(RING - 1), { minLength: 1, maxLength: 60 });

  it('never call a place hot that belongs to another shard, however the ring is cut', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), places, places, (shards, refused, asked) => {
        const shardOf = (place: number) => Math.floor((place * shards) / RING);
        const hot = new HotShards();
        for (const place of refused) hot.refused(id(shardOf(place)), { place, nowMs: 0 });
        for (const place of asked) {
          const found = hot.at(place);
          if (found !== undefined) expect(found.id).toBe(id(shardOf(place)));
        }
        for (const place of refused) expect(hot.at(place)?.id).toBe(id(shardOf(place)));
      }),
    );
  });

  it('forget what a split or a merge has made wrong', () => {
    const hot = new HotShards();
    hot.refused(id(1), { place: 100, nowMs: 0 });
    hot.refused(id(1), { place: 200, nowMs: 0 });
    hot.refused(id(2), { place: 150, nowMs: 1 });
    expect(hot.at(120)).toBeUndefined();
    expect(hot.at(150)?.id).toBe(id(2));
  });

  it('cool when they have refused nothing for ten seconds', () => {
    const hot = new HotShards();
    hot.refused(id(1), { place: 1, nowMs: 0 });
    hot.refused(id(2), { place: 9, nowMs: 0 });
    hot.at(9)?.refused(8_000);
    hot.cool(10_001);
    expect([hot.at(1)?.id, hot.at(9)?.id, hot.size]).toEqual([undefined, id(2), 1]);
  });

  it('are a thousand at most', () => {
    const hot = new HotShards();
    for (let n = 0; n < 1_500; n++) hot.refused(id(n), { place: n, nowMs: 0 });
    expect(hot.size).toBe(1_000);
    expect(hot.at(1_499)?.id).toBe(id(1_499));
  });
});

describe('the pace of records from the disk', () => {
  /** A shard that takes so much a second, live records first. Returns what came from the disk in the last ten seconds. */
  function play({ capacity, live }: { readonly capacity: number; readonly live: number }) {
    const shard = new HotShard(id(1), { place: 0, nowMs: 0 });
    let [fromDisk, refusedLive] = [0, 0];
    for (let second = 0; second < 30; second++) {
      let room = capacity;
      for (let tick = 0; tick < 100; tick++) {
        const nowMs = second * 1_000 + tick * 10;
        const offer = (isFromDisk: boolean): void => {
          if (room-- > 0) {
            shard.accepted(nowMs, isFromDisk);
            if (isFromDisk && second >= 20) fromDisk++;
          } else {
            shard.refused(nowMs);
            if (!isFromDisk && second >= 20) refusedLive++;
          }
        };
        for (let n = 0; n < live / 100; n++) offer(false);
        while (shard.takeToken(nowMs)) offer(true);
      }
    }
    return { fromDisk: fromDisk / 10, refusedLive: refusedLive / 10 };
  }

  it.each([
    { capacity: 1_000, live: 0 },
    { capacity: 1_000, live: 300 },
    { capacity: 200, live: 100 },
    { capacity: 5_000, live: 1_000 },
  ])(
    'uses most of what live records leave of $capacity/s beside $live/s, and hinders few of them',
    (shard) => {
      const { fromDisk, refusedLive } = play(shard);
      expect(fromDisk).toBeGreaterThan(0.75 * (shard.capacity - shard.live));
      expect(refusedLive).toBeLessThanOrEqual(0.15 * shard.live);
    },
  );

  it('leaves a trickle where live records take everything', () => {
    const { fromDisk } = play({ capacity: 100, live: 100 });
    expect(fromDisk).toBeLessThan(30);
  });
});
