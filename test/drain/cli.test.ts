import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { putAll } from './fixtures/kinesis.ts';
import { throttled } from './fixtures/tap.ts';
import { drainWorld, EAST, expectAll, numbered, WEST } from './fixtures/world.ts';

const world = drainWorld();
const bin = fileURLToPath(new URL('../../bin/spillway.ts', import.meta.url));

function start(...flags: readonly string[]) {
  const child = spawn(process.execPath, [bin, 'drain', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: world.directory,
    env: { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', NO_COLOR: '1' },
  });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]).then(
    ([stdout, stderr, [code]]) => ({ stdout, stderr, code: code as number | null }),
  );
  return { child, ended };
}

async function flags(): Promise<string[]> {
  const { fromMs, toMs } = await world.plan();
  const time = (ms: number) => new Date(ms).toISOString();
  return [
    ...['--from-region', EAST, '--to-region', WEST, '--stream', world.stream],
    ...['--from', time(fromMs), '--to', time(toMs), '--endpoint', world.tap.url],
  ];
}

it('interrupted it saves where it is, then goes on, then has nothing to do', async () => {
  const all = Array.from({ length: 6 }, (_, n) => ['k', `${n}`] as const);
  await putAll(world.east, world.stream, all);
  const same = [...(await flags()), '--checkpoint', 'drain.json'];

  const interrupted = start(...same);
  world.tap.after = ({ operation, number }) => {
    if (operation === 'PutRecords' && number === 2) interrupted.child.kill('SIGINT');
    return 'pass';
  };
  const first = await interrupted.ended;
  expect(first).toMatchObject({ code: 130, stdout: '' });
  expect(first.stderr).toMatch(/goes on from drain\.json/);
  expect(JSON.parse(await readFile(`${world.directory}/drain.json`, 'utf8'))).toMatchObject({
    finishedAtMs: null,
  });

  const resumed = start(...same, '--json');
  let progress = '';
  resumed.child.stderr.on('data', (chunk) => {
    progress += chunk;
  });
  // Held up until it has said how far it is.
  world.tap.before = ({ operation }) =>
    operation === 'GetRecords' && !progress.includes('shards done') ? throttled : 'pass';
  const second = await resumed.ended;
  expect(second.code).toBe(0);
  expect(JSON.parse(second.stdout)).toMatchObject({ name: 'drain', read: 6, shardsDone: 1, resumed: true });
  expect(second.stderr).toMatch(/6 read, \d copied, \d already there; 0 of 1 shards done\n/);
  expectAll(await world.copies(), all);

  const third = await start(...same).ended;
  expect(third).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Nothing to do: this drain was done/),
  });
}, 30_000);

it('says which option is wrong, and starts nothing', async () => {
  const sound = await flags();
  const runs = [
    start(...sound.slice(2)).ended,
    start(...sound, '--from', '2020-11-25 13:00').ended,
    start(...sound, '--to', '2019-01-01T00:00:00Z').ended,
  ];
  const [missing, zoneless, backwards] = await Promise.all(runs);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringMatching(/--from-region/) });
  expect(zoneless).toMatchObject({ code: 2, stderr: expect.stringMatching(/with its zone/) });
  expect(backwards).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/`--from` is not before `--to`/),
  });
  expect(world.tap.calls).toEqual([]);
}, 20_000);

it('fails when the target is not there', async () => {
  await putAll(world.east, world.stream, numbered(0, 1));
  const failed = await start(...(await flags()), '--to-stream', 'nowhere').ended;
  expect(failed).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/nowhere in us-west-2/),
  });
}, 20_000);
