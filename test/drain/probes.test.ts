import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { newCheckpoint, parseCheckpoint } from '../../lib/drain/checkpoint.ts';
import type { DrainReport } from '../../lib/drain/drain.ts';
import { PROBE_KEY_PREFIX, probeRecord } from '../../lib/envelope/probe-record.ts';
import { putAll } from './fixtures/kinesis.ts';
import { quickLimits } from './fixtures/quick-limits.ts';
import { throttled } from './fixtures/tap.ts';
import { drainWorld, EAST, expectAll, numbered, WEST } from './fixtures/world.ts';

const world = drainWorld();
const bin = fileURLToPath(new URL('../../bin/spillway.ts', import.meta.url));

const onlyOnce = { ...quickLimits, maxAttempts: 1 };

type Row = readonly [key: string, data: string];
const probe = (place: number): Row => {
  const { partitionKey, data } = probeRecord({ observer: 'us-east-2', atMs: 1_795_600_800_000, place });
  return [partitionKey, Buffer.from(data).toString()];
};
/** One marked record before every record, and two at the end. */
const among = (rows: readonly Row[]): readonly Row[] => [
  ...rows.flatMap((row, n) => [probe(n % 3), row]),
  probe(1),
  probe(2),
];

describe('marked records of observers', () => {
  it('are left out and counted, and the others are copied as ever', async () => {
    const all = numbered(0, 20);
    await putAll(world.east, world.stream, among(all));
    const { counts } = await world.run();
    expect(counts).toMatchObject({ read: 42, copied: 20, alreadyThere: 0, bare: 20, probes: 22 });
    expectAll(await world.copies(), all);
  });

  it('are left out of a drain that gives envelopes as well', async () => {
    await putAll(world.east, world.stream, among([['k', 'one']]));
    const { counts } = await world.run({ plan: await world.plan({ envelope: true }) });
    expect(counts).toMatchObject({ read: 4, copied: 1, probes: 3 });
    expect(await world.copies()).toHaveLength(1);
  });

  it('are told by key and data together: a user’s record with one of them is copied', async () => {
    const users: readonly Row[] = [
      [`${PROBE_KEY_PREFIX}of-a-user`, '{"order":1}'],
      ['k', probe(1)[1]],
    ];
    await putAll(world.east, world.stream, users);
    const { counts } = await world.run();
    expect(counts).toMatchObject({ read: 2, copied: 2, probes: 0 });
    expectAll(await world.copies(), users);
  });

  it('are counted once, however often the drain fails and goes on', async () => {
    // Each record of one key is a chunk of its own.
    const all = Array.from({ length: 12 }, (_, n) => ['k', `${n}`] as const);
    await putAll(world.east, world.stream, among(all));
    const same = await world.plan();
    // Every run ends at its second put.
    let runs = 0;
    let report: DrainReport | undefined;
    for (; report === undefined && runs < 20; runs++) {
      const before = world.puts();
      world.tap.before = ({ operation, number }) =>
        operation === 'PutRecords' && number > before + 1 ? throttled : 'pass';
      report = await world.run({ plan: same, limits: onlyOnce }).catch(() => undefined);
    }
    expect(runs).toBeGreaterThan(5);
    expect(report).toMatchObject({ resumed: true, counts: { read: 26, copied: 12, probes: 14, bare: 12 } });
    expectAll(await world.copies(), all);
  });
});

describe('a checkpoint of an earlier version, which did not know marked records', () => {
  type Stored = { shards: Record<string, { page: { probes?: number }; counts: { probes?: number } }> };

  it('is read, with no marked records counted', async () => {
    const ages = { fromCreatedAtMs: 1, toCreatedAtMs: 2, nowMs: 3 };
    const { startedAtMs: _, again: _a, expired: _e, ...checkpoint } = newCheckpoint(await world.plan(), ages);
    const counts = { read: 3, copied: 1, alreadyThere: 0, bytes: 9, enveloped: 0, bare: 3, damaged: 0 };
    const shard = {
      after: '1',
      page: { last: '2', records: 3, done: 1 },
      intent: null,
      finished: false,
      counts,
    };
    const stored = JSON.stringify({ ...checkpoint, version: 1, shards: { 'shardId-0': shard } });
    const found = parseCheckpoint(stored, 'drain.json').shards['shardId-0'];
    expect(found).toEqual({ ...shard, reached: null, counts: { ...counts, probes: 0, aggregates: 0 } });
  });

  it('goes on with the chunks of the page it had begun, and leaves marked records out from the next page on', async () => {
    // Pages of ten records: the first one has five of a user's, and the second one has the others.
    const all = Array.from({ length: 8 }, (_, n) => ['k', `${n}`] as const);
    await putAll(world.east, world.stream, among(all));
    const same = await world.plan();
    world.tap.before = ({ operation }) => (operation === 'PutRecords' ? throttled : 'pass');
    await expect(world.run({ plan: same, limits: onlyOnce })).rejects.toThrow(/did not take/);
    world.tap.before = () => 'pass';
    const stored: Stored & { [key: string]: unknown } = JSON.parse(
      await readFile(world.checkpointFile, 'utf8'),
    );
    const [shard] = Object.values(stored.shards);
    // As the earlier version would have written it: ten records in the chunks.
    expect(shard).toMatchObject({
      page: { records: 5, probes: 5, done: 0 },
      counts: { read: 10, probes: 5 },
    });
    Object.assign(shard ?? {}, {
      page: { ...shard?.page, records: 10, probes: undefined },
      counts: { ...shard?.counts, bare: 10, probes: undefined },
    });
    await writeFile(world.checkpointFile, JSON.stringify(stored));
    const { counts } = await world.run({ plan: same });
    expect(counts).toMatchObject({ read: 18, bare: 13, probes: 5 });
    expect(counts.copied + counts.alreadyThere).toBe(13);
    const copies = await world.copies();
    expect(copies.filter((one) => one.startsWith('k='))).toEqual(all.map(([key, data]) => `${key}=${data}`));
    expect(copies.filter((one) => one.startsWith(PROBE_KEY_PREFIX))).toHaveLength(5);
  });
});

describe('on the command line', () => {
  async function drain(...more: readonly string[]) {
    const { fromMs, toMs } = await world.plan();
    const time = (ms: number) => new Date(ms).toISOString();
    const flags = [
      ...['--from-region', EAST, '--to-region', WEST, '--stream', world.stream],
      ...['--from', time(fromMs), '--to', time(toMs), '--endpoint', world.tap.url],
    ];
    const child = spawn(process.execPath, [bin, 'drain', ...flags, ...more], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: world.directory,
      env: { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', NO_COLOR: '1' },
    });
    const [stdout, , [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    return { stdout, code: code as number | null };
  }

  it('they are in the text and in the document', async () => {
    await putAll(world.east, world.stream, [probe(1)]);
    const only = await drain('--dry-run');
    expect(only.stdout).toMatch(
      /^Nothing to copy: only marked records of observers arrived in .* \(1\)\.\n$/,
    );
    await putAll(world.east, world.stream, numbered(0, 3));
    const dry = await drain('--dry-run');
    expect(dry.stdout).toMatch(/^3 records would be copied .*marked records of observers left out: 1\)\.\n$/);
    const done = await drain();
    expect(done).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^done: 3 records .*\n {2}3 copied, .*, marked records of observers left out: 1\n$/,
      ),
    });
    const counted = await drain('--json', '--checkpoint', 'another.json');
    expect(JSON.parse(counted.stdout)).toMatchObject({ read: 4, copied: 3, alreadyThere: 0, probes: 1 });
  }, 60_000);
});
