import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { AggregateEncoder } from '../../lib/aggregate/encoder.ts';
import type { AggregateRecord } from '../../lib/aggregate/format.ts';
import type { DrainReport } from '../../lib/drain/drain.ts';
import { DrainError, DrainUsageError } from '../../lib/drain/errors.ts';
import { probeRecord } from '../../lib/envelope/probe-record.ts';
import { type Enveloped, unwrap } from '../../lib/envelope/unwrap.ts';
import { wrap } from '../../lib/envelope/wrap.ts';
import { frame, hex } from '../aggregate/fixtures/frame.ts';
import { makeStream, putAll, readAll } from './fixtures/kinesis.ts';
import { quickLimits } from './fixtures/quick-limits.ts';
import { throttled } from './fixtures/tap.ts';
import { drainWorld, EAST, expectAll, numbered, WEST } from './fixtures/world.ts';

const world = drainWorld();
const bin = fileURLToPath(new URL('../../bin/spillway.ts', import.meta.url));
const onlyOnce = { ...quickLimits, maxAttempts: 1 };

type Row = readonly [key: string, data: string];

function aggregate(records: readonly AggregateRecord[]): Buffer {
  const encoder = new AggregateEncoder({ maxBytes: 1_000_000 });
  for (const record of records) encoder.add(record);
  return Buffer.from(encoder.finish());
}
const aggregateOf = (rows: readonly Row[]): Buffer =>
  aggregate(rows.map(([partitionKey, data]) => ({ partitionKey, data: Buffer.from(data) })));

function damagedAggregate(): Buffer {
  const bytes = aggregateOf([['k', 'one']]);
  bytes[10] = (bytes[10] as number) ^ 1;
  return bytes;
}

const bytesIn = async (): Promise<readonly Buffer[]> =>
  (await readAll(world.west, world.stream)).map(({ data }) => Buffer.from(data));

describe('an aggregate in the source', () => {
  it('is taken apart: each record is copied by itself, with its own key and in the order of the key', async () => {
    const all = numbered(0, 60);
    await putAll(world.east, world.stream, [
      ...all.slice(0, 10),
      ['whole', aggregateOf(all.slice(10, 40))],
      ...all.slice(40, 45),
      ['whole', aggregateOf(all.slice(45))],
    ]);
    const { counts } = await world.run();
    expect(counts).toEqual({
      ...{ read: 60, copied: 60, alreadyThere: 0, bytes: 110, aggregates: 2 },
      ...{ enveloped: 0, bare: 60, damaged: 0, probes: 0 },
    });
    expectAll(await world.copies(), all);
  });

  it('gives each record its explicit hash key', async () => {
    // MD5 of "a" begins with 0c, and that of "b" with 92: without the hash keys, each would be in the other shard.
    const [low, high] = ['0', `${2n ** 128n - 1n}`];
    await putAll(world.east, world.stream, [
      [
        'whole',
        aggregate([
          { partitionKey: 'b', explicitHashKey: low, data: Buffer.from('1') },
          { partitionKey: 'a', explicitHashKey: high, data: Buffer.from('2') },
          { partitionKey: 'b', data: Buffer.from('3') },
        ]),
      ],
    ]);
    await world.run();
    // Shard after shard.
    expect(await world.copies()).toEqual(['b=1', 'a=2', 'b=3']);
  });

  it('may hold marked records and envelopes, which are told apart as ever', async () => {
    const id = (n: number) => `019abcde-f012-7345-8678-${`${n}`.padStart(12, '0')}`;
    const enveloped = wrap({
      producerId: id(0),
      epoch: 0,
      sequence: 1,
      recordId: id(1),
      data: Buffer.from('1'),
    });
    const damaged = Buffer.from(enveloped);
    damaged[20] = (damaged[20] as number) ^ 1;
    const probe = probeRecord({ observer: 'us-east-2', atMs: 1_795_600_800_000, place: 1 });
    await putAll(world.east, world.stream, [
      [
        'whole',
        aggregate([
          probe,
          { partitionKey: 'k', data: enveloped },
          { partitionKey: 'k', data: damaged },
          { partitionKey: 'k', data: Buffer.from('bare') },
          { ...probe, partitionKey: 'of-a-user' },
        ]),
      ],
    ]);
    const { counts } = await world.run();
    expect(counts).toMatchObject({ read: 5, copied: 4, probes: 1, enveloped: 1, damaged: 1, bare: 2 });
    const there = await bytesIn();
    expect(there).toHaveLength(4);
    for (const bytes of [enveloped, damaged, Buffer.from('bare')])
      expect(there.filter((one) => one.equals(bytes))).toHaveLength(1);
  });

  it('gives each record an id of its own with --envelope, the same in every drain', async () => {
    await putAll(world.east, world.stream, [
      [
        'whole',
        aggregateOf([
          ['k', 'same'],
          ['k', 'same'],
          ['l', 'other'],
        ]),
      ],
    ]);
    const same = await world.plan({ envelope: true });
    await world.run({ plan: same });
    const idsIn = async (stream: string) =>
      (await readAll(world.west, stream))
        .map(({ key, data }) => [key, (unwrap(data) as Enveloped).recordId].join('='))
        .sort();
    const ids = await idsIn(world.stream);
    expect(new Set(ids).size).toBe(3);
    const other = `${world.stream}-2`;
    await makeStream(world.west, other);
    const toOther = { ...same, to: { ...same.to, stream: other } };
    await world.run({ plan: toOther, checkpointFile: `${world.checkpointFile}-2` });
    expect(await idsIn(other)).toEqual(ids);
  });

  it('is copied once, record by record, however often the drain fails and goes on', async () => {
    const all = Array.from({ length: 12 }, (_, n) => ['k', `${n}`] as const);
    await putAll(world.east, world.stream, [
      ...all.slice(0, 2),
      ['whole', aggregateOf(all.slice(2, 9))],
      ['whole', aggregateOf(all.slice(9))],
    ]);
    const same = await world.plan();
    // The answer to the second put of every run is lost, and the third one is refused.
    let runs = 0;
    let report: DrainReport | undefined;
    for (; report === undefined && runs < 20; runs++) {
      const before = world.puts();
      world.tap.after = ({ operation, number }) =>
        operation === 'PutRecords' && number === before + 2 ? 'drop' : 'pass';
      world.tap.before = ({ operation, number }) =>
        operation === 'PutRecords' && number > before + 2 ? throttled : 'pass';
      report = await world.run({ plan: same, limits: onlyOnce }).catch(() => undefined);
    }
    expect(runs).toBeGreaterThan(3);
    expect(report).toMatchObject({ resumed: true, counts: { read: 12, bare: 12, aggregates: 2 } });
    const { copied = 0, alreadyThere = 0 } = report?.counts ?? {};
    expect(copied + alreadyThere).toBe(12);
    expectAll(await world.copies(), all);
  });

  it('whose answer was lost is not copied again', async () => {
    const all = numbered(0, 20);
    await putAll(world.east, world.stream, [['whole', aggregateOf(all)]]);
    world.tap.after = ({ operation, number }) =>
      operation === 'PutRecords' && number === 1 ? 'drop' : 'pass';
    const { counts } = await world.run();
    expect(counts).toMatchObject({ read: 20, copied: 15, alreadyThere: 5 });
    expectAll(await world.copies(), all);
  });
});

describe('a damaged aggregate', () => {
  it('is copied as it is, and counted as damaged', async () => {
    const withoutRecords = frame(hex('0a016b'));
    await putAll(world.east, world.stream, [
      ['k', damagedAggregate()],
      ['k', hex('f3899ac2 010203')],
      ['k', withoutRecords],
      ['k', aggregateOf([['k', 'sound']])],
    ]);
    const { counts } = await world.run();
    expect(counts).toMatchObject({ read: 4, copied: 4, damaged: 3, bare: 1, aggregates: 1 });
    const due = [damagedAggregate(), hex('f3899ac2 010203'), withoutRecords, Buffer.from('sound')];
    expect((await bytesIn()).map((bytes) => bytes.toString('hex'))).toEqual(
      due.map((bytes) => bytes.toString('hex')),
    );
  });

  it('is never put into an envelope, which would hide it', async () => {
    await putAll(world.east, world.stream, [['k', damagedAggregate()]]);
    await world.run({ plan: await world.plan({ envelope: true }) });
    expect(await bytesIn()).toEqual([damagedAggregate()]);
  });
});

describe('a record that is another one by itself', () => {
  it.each([
    [
      'its data begin like an aggregate',
      aggregate([{ partitionKey: 'k', data: aggregateOf([['l', 'one']]) }]),
    ],
    ['its data begin like an aggregate', aggregate([{ partitionKey: 'k', data: damagedAggregate() }])],
    ['its partition key is not of 1 to 256 characters', frame(hex('0a00 1a05 0800 1a0161'))],
  ])('ends the drain: %s', async (why, bytes) => {
    await putAll(world.east, world.stream, [
      ['k', 'before'],
      ['whole', bytes],
    ]);
    const same = await world.plan();
    const error = await world.run({ plan: same }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DrainError);
    expect((error as Error).message).toContain(why);
    expect(world.puts()).toBe(0);
    // The message says what to do.
    expect((error as Error).message).toContain('--allow-aggregated');
    await world.run({ plan: { ...same, allowAggregated: true } });
    expect(await bytesIn()).toEqual(expect.arrayContaining([Buffer.from('before'), bytes]));
  });

  it('is copied inside an envelope, with --envelope', async () => {
    const inner = aggregateOf([['l', 'one']]);
    await putAll(world.east, world.stream, [['whole', aggregate([{ partitionKey: 'k', data: inner }])]]);
    await world.run({ plan: await world.plan({ envelope: true }) });
    const [copy] = await bytesIn();
    expect(Buffer.from((unwrap(copy ?? Buffer.of()) as Enveloped).data).equals(inner)).toBe(true);
  });
});

describe('with --allow-aggregated', () => {
  it('aggregates are copied as they are', async () => {
    const bytes = aggregateOf(numbered(0, 5));
    await putAll(world.east, world.stream, [['whole', bytes]]);
    const { counts } = await world.run({ plan: await world.plan({ allowAggregated: true }) });
    expect(counts).toMatchObject({ read: 1, copied: 1, aggregates: 0 });
    expect(await bytesIn()).toEqual([bytes]);
  });

  it('an envelope is refused, since it would hide them', async () => {
    const both = await world.plan({ allowAggregated: true, envelope: true });
    await expect(world.run({ plan: both })).rejects.toBeInstanceOf(DrainUsageError);
    expect(world.tap.calls).toEqual([]);
  });

  it.each([true, false])('a page goes on as it was begun: %s', async (begunWhole) => {
    const all = numbered(0, 5);
    await putAll(world.east, world.stream, [['whole', aggregateOf(all)]]);
    const begun = await world.plan({ allowAggregated: begunWhole });
    world.tap.before = ({ operation }) => (operation === 'PutRecords' ? throttled : 'pass');
    await expect(world.run({ plan: begun, limits: onlyOnce })).rejects.toThrow(/did not take/);
    world.tap.before = () => 'pass';
    await world.run({ plan: { ...begun, allowAggregated: !begunWhole } });
    if (begunWhole) expect(await bytesIn()).toEqual([aggregateOf(all)]);
    else expectAll(await world.copies(), all);
  });

  it('a page that an earlier version had begun goes on with whole aggregates', async () => {
    const bytes = aggregateOf(numbered(0, 5));
    await putAll(world.east, world.stream, [['whole', bytes]]);
    const begun = await world.plan({ allowAggregated: true });
    world.tap.before = ({ operation }) => (operation === 'PutRecords' ? throttled : 'pass');
    await expect(world.run({ plan: begun, limits: onlyOnce })).rejects.toThrow(/did not take/);
    world.tap.before = () => 'pass';
    const stored = await readFile(world.checkpointFile, 'utf8');
    expect(stored).toContain(',"whole":true');
    await writeFile(world.checkpointFile, stored.replace(',"whole":true', '').replace(',"aggregates":0', ''));
    const { counts } = await world.run({ plan: { ...begun, allowAggregated: false } });
    expect(counts).toMatchObject({ read: 1, copied: 1, aggregates: 0 });
    expect(await bytesIn()).toEqual([bytes]);
  });
});

it('on the command line, aggregates and damage are counted, and the drain is done', async () => {
  await putAll(world.east, world.stream, [
    ['whole', aggregateOf(numbered(0, 5))],
    ['k', damagedAggregate()],
  ]);
  const { fromMs, toMs } = await world.plan();
  const time = (ms: number) => new Date(ms).toISOString();
  const flags = [
    ...['--from-region', EAST, '--to-region', WEST, '--stream', world.stream],
    ...['--from', time(fromMs), '--to', time(toMs), '--endpoint', world.tap.url],
  ];
  const drain = async (...more: readonly string[]) => {
    const child = spawn(process.execPath, [bin, 'drain', ...flags, ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: world.directory,
      env: { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', NO_COLOR: '1' },
    });
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    return { stdout, code: code as number | null };
  };
  await expect(drain('--dry-run')).resolves.toEqual({
    code: 0,
    stdout: expect.stringMatching(
      /^6 records would be copied .*1 damaged; .*; 1 aggregates taken apart\)\.\n$/,
    ),
  });
  const done = await drain('--json');
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ ok: true, read: 6, copied: 6, damaged: 1, aggregates: 1 });
}, 60_000);
