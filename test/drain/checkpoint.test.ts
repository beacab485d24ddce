import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteStreamCommand, ListShardsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  type Checkpoint,
  forStreams,
  neededFromMs,
  newCheckpoint,
  parseCheckpoint,
} from '../../lib/drain/checkpoint.ts';
import { unwrap } from '../../lib/envelope/unwrap.ts';
import { wrap } from '../../lib/envelope/wrap.ts';
import { isActive, makeStream, putAll, readAll } from './fixtures/kinesis.ts';
import { drainWorld, EAST, expectAll, numbered, WEST } from './fixtures/world.ts';

const world = drainWorld();

const timeMs = fc.nat();
const sequence = fc.bigInt({ min: 0n, max: 10n ** 56n }).map(String);
const tips = fc.dictionary(fc.stringMatching(/^shardId-\d{1,12}$/), sequence);
const place = (region: string) =>
  fc.record({ region: fc.constant(region), stream: fc.constant('orders'), createdAtMs: timeMs });
const counts = fc.record({
  ...{ read: timeMs, copied: timeMs, alreadyThere: timeMs, bytes: timeMs, enveloped: timeMs, bare: timeMs },
  ...{ damaged: timeMs, probes: timeMs, aggregates: timeMs },
});
const oldShard = fc.record({
  after: fc.option(sequence),
  page: fc.option(
    fc.record({ last: sequence, records: timeMs, probes: timeMs, done: timeMs, whole: fc.boolean() }),
  ),
  intent: fc.option(fc.record({ fromMs: timeMs, untilMs: timeMs, tips })),
  finished: fc.boolean(),
  counts,
});
const shards = <Shard>(shard: fc.Arbitrary<Shard>) =>
  fc.dictionary(fc.stringMatching(/^shardId-\d{12}$/), shard, { maxKeys: 4 });
const common = {
  format: fc.constant('spillway-drain' as const),
  ...{ from: place(EAST), to: place(WEST), tips },
  window: fc.record({ fromMs: timeMs, toMs: timeMs }),
  envelope: fc.boolean(),
  finishedAtMs: fc.option(timeMs),
};
const first = fc.record({ ...common, version: fc.constant(1 as const), shards: shards(oldShard) });
const reached = fc.option(fc.record({ arrivedAtMs: timeMs, recordId: fc.option(fc.uuid()) }));
const second: fc.Arbitrary<Checkpoint> = fc.record({
  ...{
    ...common,
    version: fc.constant(2 as const),
    startedAtMs: timeMs,
    again: fc.boolean(),
    expired: fc.boolean(),
  },
  shards: shards(fc.tuple(oldShard, reached).map(([shard, at]) => ({ ...shard, reached: at }))),
});

describe('a checkpoint', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(second, (checkpoint) => {
        expect(parseCheckpoint(JSON.stringify(checkpoint), 'c.json')).toEqual(checkpoint);
      }),
    );
  });

  it('of version 1 keeps all that it knew', () => {
    fc.assert(
      fc.property(first, (checkpoint) => {
        const found = parseCheckpoint(JSON.stringify(checkpoint), 'c.json');
        const { startedAtMs, again, expired, version, shards: states, ...same } = found;
        const { version: _, shards: before, ...rest } = checkpoint;
        expect(same).toEqual(rest);
        expect({ startedAtMs, again, expired, version }).toEqual({
          ...{ startedAtMs: checkpoint.window.toMs, again: false, expired: false, version: 2 },
        });
        for (const [shardId, state] of Object.entries(before)) {
          expect(states[shardId]).toEqual({ ...state, reached: null });
        }
      }),
    );
  });

  it('goes on as it is between the same streams, and from the beginning of its window where one is another', () => {
    fc.assert(
      fc.property(second, timeMs, timeMs, (found, fromMs, toMs) => {
        const now = {
          ...found,
          from: { ...found.from, createdAtMs: fromMs },
          to: { ...found.to, createdAtMs: toMs },
        };
        const asked = { ...now, startedAtMs: 1, shards: {}, tips: {}, finishedAtMs: null, again: false };
        const going = forStreams(found, asked);
        if (fromMs === found.from.createdAtMs && toMs === found.to.createdAtMs) expect(going).toBe(found);
        else {
          const begins = { shards: {}, tips: {}, finishedAtMs: null, window: found.window };
          expect(going).toMatchObject({ ...begins, startedAtMs: found.startedAtMs, again: true });
        }
      }),
    );
  });

  it('needs of the source what it has not read, and no more', () => {
    const plan = {
      from: { region: EAST, stream: 's' },
      to: { region: WEST, stream: 's' },
      fromMs: 10,
      toMs: 90,
    };
    const fresh = newCheckpoint(
      { ...plan, envelope: false, allowAggregated: false },
      { fromCreatedAtMs: 1, toCreatedAtMs: 1, nowMs: 100 },
    );
    expect(neededFromMs(fresh, ['a', 'b'])).toBe(10);
    const [state] = fc.sample(oldShard, 1) as [Checkpoint['shards'][string]];
    const at = (arrivedAtMs: number, finished = false) => ({
      ...{ ...state, finished, reached: { arrivedAtMs, recordId: null } },
    });
    expect(neededFromMs({ ...fresh, shards: { a: at(50), b: at(30, true) } }, ['a', 'b'])).toBe(50);
    expect(neededFromMs({ ...fresh, shards: { a: at(50) } }, ['a', 'b'])).toBe(10);
  });
});

/** With ids, as a producer with the option `envelope` writes them. */
const enveloped = (from: number, to: number) =>
  numbered(from, to).map(([key, text], n) => {
    const recordId = `01900000-0000-7000-8000-${String(from + n).padStart(12, '0')}`;
    const producerId = '01900000-0000-7000-8000-000000000000';
    return [key, wrap({ producerId, epoch: 1, sequence: n, recordId, data: Buffer.from(text) })] as const;
  });

const inner = async () =>
  (await readAll(world.west, world.stream)).map(({ key, data }) => {
    const read = unwrap(data);
    return `${key}=${Buffer.from(read.enveloped ? read.data : data)}`;
  });

describe('a drain goes on', () => {
  const half = async () => {
    const same = await world.plan();
    world.tap.before = ({ operation, number }) =>
      operation === 'PutRecords' && number > 3
        ? { status: 400, body: { __type: 'AccessDeniedException' } }
        : 'pass';
    await expect(world.run({ plan: same })).rejects.toThrow(/did not take records/);
    world.tap.before = () => 'pass';
    return same;
  };
  const again = async (region: 'east' | 'west', shards: number) => {
    await world[region].send(new DeleteStreamCommand({ StreamName: world.stream }));
    await vi.waitUntil(
      () =>
        makeStream(world[region], world.stream, shards).then(
          () => true,
          () => false,
        ),
      { timeout: 5_000, interval: 20 },
    );
  };

  it('on another machine, with nothing but the file', async () => {
    const all = numbered(0, 40);
    await putAll(world.east, world.stream, all);
    const same = await half();
    const elsewhere = join(world.directory, 'elsewhere.json');
    await copyFile(world.checkpointFile, elsewhere);
    await expect(world.run({ plan: same, checkpointFile: elsewhere })).resolves.toMatchObject({
      resumed: true,
      counts: { read: 40 },
    });
    expectAll(await world.copies(), all);
    const { shards } = parseCheckpoint(await readFile(elsewhere, 'utf8'), elsewhere);
    expect(Object.values(shards).map(({ reached }) => reached)).toEqual([
      { arrivedAtMs: expect.any(Number), recordId: null },
    ]);
  });

  it('when the target was created again, and copies all of it', async () => {
    const all = numbered(0, 40);
    await putAll(world.east, world.stream, all);
    const same = await half();
    await again('west', 3);
    const onCreatedAgain = vi.fn();
    await expect(world.run({ plan: same, onCreatedAgain })).resolves.toMatchObject({
      counts: { read: 40, copied: 40 },
    });
    expect(onCreatedAgain).toHaveBeenCalledOnce();
    expectAll(await world.copies(), all);
  });

  it('when the source was created again and filled from elsewhere: what is there under its id is not copied twice', async () => {
    const all = enveloped(0, 40);
    await putAll(world.east, world.stream, all);
    const before = await half();
    const copiedBefore = (await world.copies()).length;
    expect(copiedBefore).toBeGreaterThan(5);
    await again('east', 2);
    await putAll(world.east, world.stream, all);
    // The same window, as far as anybody can tell: the second time it was filled is in it.
    const { toMs } = await world.plan();
    const checkpoint = parseCheckpoint(await readFile(world.checkpointFile, 'utf8'), world.checkpointFile);
    const longer = { ...checkpoint, window: { ...checkpoint.window, toMs } };
    await writeFile(world.checkpointFile, JSON.stringify(longer));
    const report = await world.run({ plan: { ...before, toMs } });
    expect(report.counts).toMatchObject({ read: 40, alreadyThere: copiedBefore, copied: 40 - copiedBefore });
    expectAll(await inner(), numbered(0, 40));
  });

  it('while the target is split and merged, in the order of each key', async () => {
    const all = numbered(0, 60);
    await putAll(world.east, world.stream, all);
    const { Shards = [] } = await world.west.send(new ListShardsCommand({ StreamName: world.stream }));
    let split: Promise<unknown> | undefined;
    world.tap.after = ({ operation, number }) => {
      if (operation === 'PutRecords' && number === 4) {
        const [{ ShardId: ShardToSplit } = {}] = Shards;
        const at = { StreamName: world.stream, ShardToSplit, NewStartingHashKey: String(2n ** 126n) };
        split = world.west.send(new SplitShardCommand(at)).then(() => isActive(world.west, world.stream));
        // Its outcome is not known to the drain, which has to look for it in shards old and new.
        return 'drop';
      }
      return 'pass';
    };
    await expect(world.run()).resolves.toMatchObject({ counts: { read: 60 } });
    await split;
    expectAll(await world.copies(), all);
  });
});

describe('the key of an encrypted stream', () => {
  it.each([
    [
      'GetRecords',
      'KMSDisabledException',
      /the key is disabled: enable it; to read from it takes kms:Decrypt/,
    ],
    [
      'PutRecords',
      'KMSAccessDeniedException',
      /lacks a permission on the key; to write to it takes kms:GenerateDataKey/,
    ],
  ])('that %s may not use is named: %s', async (refused, code, words) => {
    await putAll(world.east, world.stream, numbered(0, 5));
    const same = await world.plan();
    world.tap.before = ({ operation }) =>
      operation === refused ? { status: 400, body: { __type: code, message: 'no' } } : 'pass';
    await expect(world.run({ plan: same })).rejects.toThrow(words);
    world.tap.before = () => 'pass';
    await expect(world.run({ plan: same })).resolves.toMatchObject({ counts: { read: 5 } });
  });
});
