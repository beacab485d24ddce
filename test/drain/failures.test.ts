import { mkdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { DrainError } from '../../lib/drain/errors.ts';
import { unwrap } from '../../lib/envelope/unwrap.ts';
import { putAll, readAll } from './fixtures/kinesis.ts';
import { expired, internalFailure, throttled } from './fixtures/tap.ts';
import { drainWorld, expectAll, numbered, WEST } from './fixtures/world.ts';

const world = drainWorld();

describe('when calls fail', () => {
  it('goes on through throttling, expired iterators and 5xx of reads', async () => {
    const all = numbered(0, 20);
    await putAll(world.east, world.stream, all);
    world.tap.before = ({ operation, number }) => {
      if (operation === 'PutRecords') return number % 3 === 1 ? throttled : 'pass';
      if (operation !== 'GetRecords') return number === 1 ? internalFailure : 'pass';
      return ([throttled, 'pass', expired, 'drop', 'pass'] as const)[number % 5] ?? 'pass';
    };
    await expect(world.run()).resolves.toMatchObject({ counts: { copied: 20, alreadyThere: 0 } });
    expectAll(await world.copies(), all);
  });

  it.each([
    ['an answer of 500', internalFailure],
    ['no answer', 'drop' as const],
  ])('looks before it writes again after %s, and copies no record twice', async (_what, fate) => {
    const all = numbered(0, 20);
    await putAll(world.east, world.stream, all);
    world.tap.after = ({ operation, number }) =>
      operation === 'PutRecords' && number % 2 === 1 ? fate : 'pass';
    const { counts } = await world.run();
    expect(counts.copied + counts.alreadyThere).toBe(20);
    expect(counts.alreadyThere).toBeGreaterThan(0);
    expectAll(await world.copies(), all);
  });

  it('writes again what did not arrive', async () => {
    const all = numbered(0, 20);
    await putAll(world.east, world.stream, all);
    world.tap.before = ({ operation, number }) =>
      operation === 'PutRecords' && number % 2 === 1 ? 'drop' : 'pass';
    await expect(world.run()).resolves.toMatchObject({ counts: { copied: 20, alreadyThere: 0 } });
    expectAll(await world.copies(), all);
  });

  it('tells records of the same key and bytes apart, however often they repeat', async () => {
    const all = Array.from({ length: 10 }, () => ['k', 'tick'] as const);
    await putAll(world.east, world.stream, all);
    world.tap.before = ({ operation, number }) =>
      operation === 'PutRecords' && number % 3 === 1 ? 'drop' : 'pass';
    world.tap.after = ({ operation, number }) =>
      operation === 'PutRecords' && number % 3 === 2 ? 'drop' : 'pass';
    const { counts } = await world.run();
    expect(counts.alreadyThere).toBeGreaterThan(0);
    expectAll(await world.copies(), all);
  });

  it('finds records with an envelope by their id', async () => {
    await putAll(
      world.east,
      world.stream,
      Array.from({ length: 8 }, () => ['k', 'tick'] as const),
    );
    world.tap.after = ({ operation, number }) =>
      operation === 'PutRecords' && number % 2 === 1 ? 'drop' : 'pass';
    const { counts } = await world.run({ plan: await world.plan({ envelope: true }) });
    expect(counts.alreadyThere).toBeGreaterThan(0);
    const there = (await readAll(world.west, world.stream)).map(({ data }) => unwrap(data));
    expect(new Set(there.map((read) => read.enveloped && read.recordId)).size).toBe(8);
    expect(there).toHaveLength(8);
  });

  it('sends only the refused records of a batch again, and finds those of unknown fate', async () => {
    const all = numbered(0, 20);
    await putAll(world.east, world.stream, all);
    world.tap.after = ({ operation, number }, answer) => {
      if (operation !== 'PutRecords' || number % 2 === 0) return 'pass';
      const body = JSON.parse(answer.toString()) as { Records: object[] };
      // Written, but the answer says otherwise.
      body.Records[0] = { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure.' };
      return { status: 200, body: { ...body, FailedRecordCount: 1 } };
    };
    const { counts } = await world.run();
    expect(counts.alreadyThere).toBeGreaterThan(0);
    expectAll(await world.copies(), all);
  });

  it('gives up on a target that never takes anything, and goes on later', async () => {
    const all = numbered(0, 20);
    await putAll(world.east, world.stream, all);
    const same = await world.plan();
    world.tap.before = ({ operation, number }) =>
      operation === 'PutRecords' && number > 1 ? throttled : 'pass';
    await expect(world.run({ plan: same })).rejects.toThrow(
      /did not take records \(6 attempts\).*same command/,
    );
    world.tap.before = () => 'pass';
    await expect(world.run({ plan: same })).resolves.toMatchObject({ resumed: true });
    expectAll(await world.copies(), all);
  });

  it('says which stream is not there', async () => {
    const nowhere = await world.plan({ to: { region: WEST, stream: 'nowhere' } });
    const error = await world.run({ plan: nowhere }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DrainError);
    expect((error as Error).message).toMatch(/nowhere in us-west-2.*ResourceNotFound/);
  });

  it('writes nothing when the checkpoint cannot be kept', async () => {
    await putAll(world.east, world.stream, numbered(0, 5));
    await mkdir(`${world.checkpointFile}.new`);
    await expect(world.run()).rejects.toThrow(/could not be written/);
    expect(world.puts()).toBe(0);
  });
});
