import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parentsFirst } from '../../lib/drain/lineage.ts';

/** Each shard may descend from two before it, as after splits and merges. */
const shards = fc
  .array(fc.tuple(fc.option(fc.nat(20)), fc.option(fc.nat(20))), { maxLength: 20 })
  .map((parents) =>
    parents.map(([one, other], n) => ({
      ShardId: `${n}`,
      ...(one !== null && one < n ? { ParentShardId: `${one}` } : {}),
      ...(other !== null && other < n ? { AdjacentParentShardId: `${other}` } : {}),
    })),
  );

it('works through every shard once, after its parents, and only so many at once', async () => {
  await fc.assert(
    fc.asyncProperty(shards, fc.integer({ min: 1, max: 4 }), async (all, width) => {
      const done = new Set<string>();
      let running = 0;
      await parentsFirst({
        shards: all.toReversed() as never,
        width,
        onFailure: () => {},
        work: async (shardId) => {
          running++;
          expect(running).toBeLessThanOrEqual(width);
          const { ParentShardId, AdjacentParentShardId } = all[Number(shardId)] ?? {};
          for (const parent of [ParentShardId, AdjacentParentShardId])
            if (parent !== undefined) expect(done.has(parent)).toBe(true);
          await turn();
          running--;
          expect(done.has(shardId)).toBe(false);
          done.add(shardId);
        },
      });
      expect(done.size).toBe(all.length);
    }),
    { numRuns: 50 },
  );
});

it('does not wait for a parent that is no longer listed', async () => {
  const done: string[] = [];
  const work = async (shardId: string) => void done.push(shardId);
  await parentsFirst({
    shards: [{ ShardId: 'b', ParentShardId: 'a' }] as never,
    width: 1,
    work,
    onFailure: () => {},
  });
  expect(done).toEqual(['b']);
});

it('stops at the first failure, and rejects with it when everything under way has ended', async () => {
  const ended: string[] = [];
  let stopped = false;
  const work = async (shardId: string) => {
    if (shardId === '0') throw new Error('shard 0');
    await expect.poll(() => stopped).toBe(true);
    ended.push(shardId);
    throw new Error('stopped');
  };
  const ids = ['0', '1', '2'].map((ShardId) => ({ ShardId }));
  const run = parentsFirst({ shards: ids as never, width: 2, work, onFailure: () => (stopped = true) });
  await expect(run).rejects.toThrow('shard 0');
  expect(ended).toEqual(['1']);
});
