import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ListShardsCommand, MergeShardsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis';
import { describe, expect, it } from 'vitest';
import { unwrap } from '../../lib/envelope/unwrap.ts';
import { wrap } from '../../lib/envelope/wrap.ts';
import { isActive, putAll, readAll } from './fixtures/kinesis.ts';
import { drainWorld, expectAll, numbered } from './fixtures/world.ts';

const world = drainWorld();

describe('a drain', () => {
  it('copies what arrived in the window, in the order of each key, and counts it', async () => {
    await putAll(world.east, world.stream, numbered(0, 10));
    const { toMs: fromMs } = await world.plan();
    const all = numbered(10, 30);
    await putAll(world.east, world.stream, all);
    const windowed = await world.plan({ fromMs });
    await putAll(world.east, world.stream, numbered(30, 40));
    const report = await world.run({ plan: windowed });
    expect(report).toMatchObject({ resumed: false, alreadyDone: false, shards: 1, shardsDone: 1 });
    expect(report.counts).toEqual({
      read: 20,
      copied: 20,
      alreadyThere: 0,
      bytes: 40,
      enveloped: 0,
      bare: 20,
      damaged: 0,
      probes: 0,
      aggregates: 0,
    });
    expectAll(await world.copies(), all);
  });

  it('copies between streams that are named by their ARNs', async () => {
    const all = numbered(0, 10);
    await putAll(world.east, world.stream, all);
    const byName = await world.plan();
    const named = ({ region }: { readonly region: string }) => ({
      region,
      stream: `arn:aws:kinesis:${region}:000000000000:stream/${world.stream}`,
    });
    const report = await world.run({
      plan: { ...byName, from: named(byName.from), to: named(byName.to) },
    });
    expect(report.counts).toMatchObject({ read: 10, copied: 10 });
    expectAll(await world.copies(), all);
  });

  it('copies nothing a second time', async () => {
    await putAll(world.east, world.stream, numbered(0, 10));
    const same = await world.plan();
    await world.run({ plan: same });
    const before = world.puts();
    await expect(world.run({ plan: same })).resolves.toMatchObject({
      alreadyDone: true,
      counts: { copied: 10 },
    });
    expect(world.puts()).toBe(before);
  });

  it('finds nothing in an empty window', async () => {
    const report = await world.run();
    expect(report.counts.read).toBe(0);
    expect(world.puts()).toBe(0);
  });

  it('goes through parents before children, so that the order of a key holds over a split and a merge', async () => {
    const shardIds = async () =>
      ((await world.east.send(new ListShardsCommand({ StreamName: world.stream }))).Shards ?? []).map(
        ({ ShardId }) => ShardId,
      );
    const all = numbered(0, 50);
    await putAll(world.east, world.stream, all.slice(0, 15));
    const [parent] = await shardIds();
    const NewStartingHashKey = String(2n ** 127n);
    await world.east.send(
      new SplitShardCommand({ StreamName: world.stream, ShardToSplit: parent, NewStartingHashKey }),
    );
    await isActive(world.east, world.stream);
    await putAll(world.east, world.stream, all.slice(15, 30));
    const [, left, right] = await shardIds();
    await world.east.send(
      new MergeShardsCommand({ StreamName: world.stream, ShardToMerge: left, AdjacentShardToMerge: right }),
    );
    await isActive(world.east, world.stream);
    await putAll(world.east, world.stream, all.slice(30));
    await expect(world.run()).resolves.toMatchObject({ shards: 4, shardsDone: 4, counts: { copied: 50 } });
    expectAll(await world.copies(), all);
  });

  it('copies what is in shards that came of a split after the source was listed', async () => {
    const all = numbered(0, 20);
    await putAll(world.east, world.stream, all.slice(0, 10));
    const before = await world.east.send(new ListShardsCommand({ StreamName: world.stream }));
    const ShardToSplit = before.Shards?.[0]?.ShardId;
    const NewStartingHashKey = String(2n ** 127n);
    await world.east.send(
      new SplitShardCommand({ StreamName: world.stream, ShardToSplit, NewStartingHashKey }),
    );
    await isActive(world.east, world.stream);
    await putAll(world.east, world.stream, all.slice(10));
    world.tap.after = ({ operation, region, number }) =>
      operation === 'ListShards' && region === 'us-east-1' && number === 1
        ? { status: 200, body: { Shards: before.Shards } }
        : 'pass';
    await expect(world.run()).resolves.toMatchObject({ shards: 3, shardsDone: 3, counts: { copied: 20 } });
    expectAll(await world.copies(), all);
  });

  it('reads and counts only, when dry', async () => {
    await putAll(world.east, world.stream, numbered(0, 10));
    await expect(world.run({ dryRun: true })).resolves.toMatchObject({ counts: { read: 10, copied: 0 } });
    expect(world.puts()).toBe(0);
    expect(await readdir(world.directory)).toEqual([]);
  });

  it('says what the source no longer keeps', async () => {
    let kept = 0;
    await world.run({
      plan: await world.plan({ fromMs: Date.now() - 48 * 3_600_000 }),
      onExpired: (fromMs) => (kept = fromMs),
    });
    expect(Math.abs(Date.now() - 24 * 3_600_000 - kept)).toBeLessThan(5_000);
  });
});

describe('records with an envelope', () => {
  const id = (n: number) => `019abcde-f012-7345-8678-${`${n}`.padStart(12, '0')}`;
  const enveloped = (n: number) =>
    wrap({ producerId: id(0), epoch: 0, sequence: n, recordId: id(n), data: Buffer.from(`${n}`) });

  it('are copied byte for byte', async () => {
    const damaged = Buffer.from(enveloped(2));
    damaged[20] = (damaged[20] as number) ^ 1;
    await putAll(world.east, world.stream, [
      ['k', enveloped(1)],
      ['k', damaged],
      ['k', 'bare'],
    ]);
    const { counts } = await world.run();
    expect(counts).toMatchObject({ copied: 3, enveloped: 1, damaged: 1, bare: 1 });
    const there = (await readAll(world.west, world.stream)).map(({ data }) => Buffer.from(data));
    expect(there).toEqual([enveloped(1), damaged, Buffer.from('bare')]);
  });

  it('are given to bare ones when asked for, with the same id in every drain', async () => {
    await putAll(world.east, world.stream, [
      ['k', 'bare'],
      ['k', enveloped(1)],
      ['k', 'bare'],
    ]);
    const wrapping = await world.plan({ envelope: true });
    await world.run({ plan: wrapping });
    await world.run({ plan: wrapping, checkpointFile: join(world.directory, 'another.json') });
    const there = (await readAll(world.west, world.stream)).map(({ data }) => unwrap(data));
    const ids = there.map((read) => (read.enveloped ? read.recordId : 'bare'));
    expect(ids.slice(0, 3)).toEqual(ids.slice(3));
    expect(new Set(ids).size).toBe(3);
    expect(ids[1]).toBe(id(1));
    expect(
      there.map((read) => (read.enveloped ? Buffer.from(read.data).toString() : '')).slice(0, 3),
    ).toEqual(['bare', '1', 'bare']);
    expect(there[0]).toMatchObject({ sequence: 0 });
  });
});
