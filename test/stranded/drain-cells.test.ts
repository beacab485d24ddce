import { readdir } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { probeRecord } from '../../lib/envelope/probe-record.ts';
import { putAll, readAll } from '../drain/fixtures/kinesis.ts';
import { expectAll, numbered } from '../drain/fixtures/world.ts';
import { tableOf } from '../operate/fixtures/fake-aws.ts';
import { type StrandedWorld, strandedWorld } from './cli-world.ts';

// A drain waits some seconds after the end of its window, for arrivals that are late by the clock.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 20_000 });

let world: StrandedWorld;
afterEach(() => world.close());

const copies = async () =>
  (await readAll(world.west, world.stream)).map(({ key, data }) => `${key}=${Buffer.from(data)}`);
const mark = () => world.state.get('drained#orders');
const journal = () => [...world.state.values()].filter(({ pk }) => pk?.S === 'journal');
const refused = { status: 400, body: { __type: 'AccessDeniedException', message: 'no' } };

describe('spillway drain --cells', () => {
  it('copies what is stranded, marks the cell, and later copies only what came after', async () => {
    world = await strandedWorld([{ kind: 'kcl', leaseTable: 'app' }]);
    world.move();
    const { partitionKey, data } = probeRecord({ observer: 'us-west-2', atMs: 1, place: 3 });
    const all = numbered(0, 30);
    await putAll(world.east, world.stream, [...all, [partitionKey, data]]);
    world.aws.resources.add('us-east-1/app');
    // Nothing was read yet, as its lease says.
    tableOf(world.aws, 'us-east-1/app').set('one', {
      ...{
        leaseKey: { S: 'shardId-000000000000' },
        leaseCounter: { N: '1' },
        checkpoint: { S: 'TRIM_HORIZON' },
      },
    });

    world.tap.before = ({ operation, number }) =>
      operation === 'PutRecords' && number > 2 ? refused : 'pass';
    const failed = await world.run('drain --cells orders --yes');
    expect(failed.exit).toBe(1);
    expect(mark()).toBeUndefined();
    world.tap.before = () => 'pass';

    // Goes on in the window of the run that failed, although the time of the count is another.
    const { exit, json, err } = await world.run('drain --cells orders --yes --owner ana --json');
    expect(json).toMatchObject({
      ...{ ok: true, name: 'drain', dryRun: false },
      cells: [{ cell: 'orders', epoch: 3, read: 31, probes: 1, drained: true, gaps: [], journaled: true }],
    });
    expect(exit).toBe(0);
    expect(err).toMatch(/1 earlier runs are gone on with/);
    expectAll(await copies(), all);
    expect(mark()).toMatchObject({ epoch: { N: '3' } });
    expect(journal()).toMatchObject([
      {
        what: { S: 'drained' },
        who: { S: expect.stringMatching(/^ana \(/) },
        after: { M: { read: { N: '31' } } },
      },
    ]);
    expect(await world.run('stranded')).toMatchObject({ exit: 0 });

    const more = numbered(30, 36);
    await putAll(world.east, world.stream, more);
    expect(await world.run('stranded')).toMatchObject({ exit: 4 });
    const second = await world.run('drain --stranded --yes --reason late --json');
    expect(second.json).toMatchObject({
      ok: true,
      cells: [
        { drained: true, checkpoints: [/epoch-3/, /epoch-3-2/].map((one) => expect.stringMatching(one)) },
      ],
    });
    expectAll(await copies(), [...all, ...more]);
    expect((await readdir(world.shell.directory)).filter((name) => name.endsWith('.json'))).toHaveLength(3);
  });

  it('marks nothing where it had to guess, and says why; copies nothing twice', async () => {
    world = await strandedWorld([{ kind: 'lambda', function: 'indexer' }]);
    world.move();
    await putAll(world.east, world.stream, numbered(0, 9));
    const guessed = await world.run('drain --cells orders --yes');
    expect(guessed.exit).toBe(4);
    expect(guessed.out).toMatch(/9 copied/);
    expect(guessed.out).toMatch(
      /not marked as drained: nothing shows how far Lambda function indexer had read/,
    );
    expect(guessed.out).toMatch(/if you know better: spillway drained --cells orders/);
    expect(mark()).toBeUndefined();

    const dry = await world.run('drain --cells orders --dry-run');
    expect(dry).toMatchObject({ exit: 0, out: expect.stringMatching(/^orders: 9 records would be copied/) });

    const puts = world.tap.calls.filter(({ operation }) => operation === 'PutRecords').length;
    const told = await world.run('drain --cells orders --yes --since 1h --json');
    const gaps = [
      expect.stringMatching(/^nothing but --since says how far Lambda function indexer had read/),
    ];
    expect(told.json).toMatchObject({ ok: false, cells: [{ drained: false, copied: 9, gaps }] });
    expect(told.exit).toBe(4);
    expect(world.tap.calls.filter(({ operation }) => operation === 'PutRecords')).toHaveLength(puts);
    expectAll(await copies(), numbered(0, 9));
  });

  it('goes on with the checkpoints of an evacuation that has set the switch once more, and keeps its mark', async () => {
    world = await strandedWorld([{ kind: 'kcl', leaseTable: 'app' }]);
    const entry = (epoch: number) =>
      world.state.set(`journal#${epoch}`, {
        ...{ pk: { S: 'journal' }, sk: { S: `${epoch}` }, atMs: { N: `${Date.now() - 60_000}` } },
        ...{ who: { S: 'conductor' }, what: { S: 'latch' }, why: { S: 'votes' }, epoch: { N: `${epoch}` } },
      });
    world.move(3);
    entry(3);
    await putAll(world.east, world.stream, numbered(0, 9));
    world.aws.resources.add('us-east-1/app');
    const lease = { leaseKey: { S: 'shardId-000000000000' }, leaseCounter: { N: '1' } };
    tableOf(world.aws, 'us-east-1/app').set('one', { ...lease, checkpoint: { S: 'TRIM_HORIZON' } });
    const first = await world.run('drain --cells orders --yes --json');
    expect(first.json).toMatchObject({ ok: true, cells: [{ copied: 9, drained: true }] });
    world.move(4);
    entry(4);
    expect(await world.run('stranded')).toMatchObject({ exit: 0 });
    await putAll(world.east, world.stream, numbered(9, 12));
    const second = await world.run('drain --cells orders --yes --json');
    expect(second.json).toMatchObject({ ok: true, cells: [{ drained: true }] });
    expectAll(await copies(), numbered(0, 12));
    // What a failback asks for is the latest act.
    expect(mark()).toMatchObject({ epoch: { N: '4' } });
  });

  it.each([
    ['drain --cells orders', 2, /no terminal.*--yes/],
    ['drain --cells nowhere --yes', 2, /no cell nowhere/],
    ['drain --cells orders --yes --from-region us-east-1', 2, /--from-region does not go with --cells/],
    ['drain --stranded --cells orders --yes', 2, /not both/],
    ['drain --from-region us-east-1', 2, /--to-region is missing/],
    ['drain --cells orders --yes', 3, /traffic of orders is in us-east-1/],
  ])('%s ends with %s', async (line, exit, words) => {
    world = await strandedWorld();
    await putAll(world.east, world.stream, numbered(0, 3));
    const ran = await world.run(line);
    expect(ran.err).toMatch(words);
    expect(ran.exit).toBe(exit);
    expect(await copies()).toEqual([]);
  });

  it('copies nothing while nobody knows whether traffic has left', async () => {
    world = await strandedWorld();
    await putAll(world.east, world.stream, numbered(0, 3));
    world.aws.refuse = ({ operation }) =>
      operation === 'Query' ? { code: 'AccessDeniedException', status: 400 } : undefined;
    const { exit, err } = await world.run('drain --cells orders --yes');
    expect(err).toMatch(/not known whether traffic has left orders.*--from-region/s);
    expect(exit).toBe(3);
    expect(await copies()).toEqual([]);
  });

  it('copies nothing while the old region fails, and asks to come back', async () => {
    world = await strandedWorld();
    world.move();
    await putAll(world.east, world.stream, numbered(0, 3));
    world.tap.before = ({ operation, region }) =>
      operation === 'DescribeStreamSummary' && region === 'us-east-1' ? 'drop' : 'pass';
    const { exit, err } = await world.run('drain --cells orders --yes');
    expect(exit).toBe(1);
    expect(err).toMatch(/ask again when the region has recovered.*Nothing was copied/);
  });
});
