import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runIn } from './fixtures/cli.ts';
import { command, type Outcome, root, simulate } from './fixtures/command.ts';

vi.setConfig({ testTimeout: 60_000 });

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway simulate '));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The same command within this process, where nothing depends on its being one of its own. */
async function simulateHere(...flags: readonly string[]): Promise<Outcome> {
  const { exit, out, err } = await runIn(root, ['simulate', ...flags], {});
  return { status: exit, out, said: err };
}

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

/** A total failure of puts, for as long as it takes to decide and to move. */
const outage = (verdict: 'failover' | 'hold'): Promise<string> =>
  file(
    `outage-${verdict}.yaml`,
    `name: outage
duration: 3m
faults:
  - at: 10s
    where: { region: primary, service: kinesis, operations: [PutRecord, PutRecords] }
    effect: { kind: error }
expect: { verdict: ${verdict} }
`,
  );

describe('a scenario', () => {
  it('of a file nobody has seen is played with every seed, and the last line has the figures in their order', async () => {
    const { status, out } = await simulate(
      '--scenario',
      await outage('failover'),
      '--seeds',
      '1..4',
      '--json',
    );
    expect(status).toBe(0);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    const result = JSON.parse(out);
    expect(Object.keys(result).slice(0, 9).join()).toBe(
      'scenario,runs,verdict,agreeing,diagnosis,decideMs,flipMs,flips,violations',
    );
    expect(result).toMatchObject({
      scenario: 'outage',
      runs: 4,
      verdict: 'failover',
      agreeing: 4,
      diagnosis: 'KinesisWriteImpaired',
      flips: { max: 1 },
      violations: 0,
      ok: true,
      returned: 0,
      failures: [],
    });
    expect(result.decideMs.p95).toBeLessThanOrEqual(20_000);
    expect(result.flipMs.p50).toBeGreaterThan(result.decideMs.p50);
  });

  it('comes to the same with one thread and with two', async () => {
    const flags = ['--scenario', await outage('failover'), '--seeds', '5..8', '--json', '--workers'];
    const [one, two] = await Promise.all([simulate(...flags, '1'), simulate(...flags, '2')]);
    expect(two.out).toBe(one.out);
    expect(JSON.parse(one.out).runs).toBe(4);
  });

  it('that falls short of its expectation prints the one command that replays a seed, which does', async () => {
    const policy = await file('a policy.yaml', 'blipMs: 9000\n');
    const flags = ['--seeds', '3..4', '--noise', 'none', '--conductor', 'dead', '--policy', policy];
    const { status, out } = await simulate('--scenario', await outage('hold'), ...flags);
    expect(status).toBe(1);
    expect(out).toContain('✗ seed 3: expected hold, saw failover');
    const [, replay = ''] = /^replay: npx (.*)$/m.exec(out) ?? [];
    expect(replay).toContain(`--seeds 3..3 --trace --policy '${policy}' --conductor dead --noise none`);
    const again = await command('sh', [
      '-c',
      `"${process.execPath}" bin/spillway.ts ${replay.replace('spillway ', '')}`,
    ]);
    expect(again.status).toBe(1);
    expect(again.out).toContain('✗ seed 3: expected hold, saw failover');
    expect(again.out).toMatch(/^\+00:0\d:\d\d\.\d{3} vote .*$/m);
  });
});

describe('the policy', () => {
  it('of a file is over that of the config', async () => {
    const observe = await file('observe.json', '{"mode": "observe"}');
    const { out } = await simulateHere(
      '--scenario',
      await outage('failover'),
      '--seeds',
      '1',
      '--json',
      '--policy',
      observe,
    );
    expect(JSON.parse(out)).toMatchObject({
      verdict: 'hold',
      decideMs: { p50: null, p95: null },
      failedSeeds: [1],
    });
  });

  it('may be the part of a config', async () => {
    const observe = await file('part.yaml', 'policy:\n  mode: observe\n');
    const { out } = await simulateHere(
      '--scenario',
      await outage('hold'),
      '--seeds',
      '1',
      '--json',
      '--policy',
      observe,
    );
    expect(JSON.parse(out)).toMatchObject({ verdict: 'hold', ok: true });
  });

  it('that is wrong is refused with path, fix and status 2', async () => {
    const path = await file('wrong.yaml', 'tickMs: 5\n');
    const { status, out, said } = await simulateHere('--policy', path);
    expect(status).toBe(2);
    expect(said).toContain(`${path}: 1 problem\ntickMs: must be a whole number`);
    expect(out).toBe('');
  });
});

describe('wrong usage ends with status 2', () => {
  it.each([
    [['--seeds', '5..1'], /5\.\.1 runs backwards/],
    [['--years', '1', '--scenario', 'blip-10s'], /--scenario has no use with --years/],
    [['--scenario', 'blip-10'], /Did you mean blip-10s\?/],
    [['--detection', '--write', 'package.json'], /package\.json needs <!-- detection:begin -->/],
  ])('%j', async (flags, message) => {
    const { status, out, said } = await simulateHere(...flags);
    expect(status).toBe(2);
    expect(said).toMatch(message);
    expect(out).toBe('');
  });
});

describe('years', () => {
  it('of noise are summed up in their order, and nothing moves', async () => {
    const { status, out } = await simulateHere('--years', '1', '--json');
    expect(status).toBe(0);
    expect(out).toMatch(
      /^\{"regionYears":1,"failovers":0,"upper95PerYear":2\.996,"observerAlarms":\d+,"seconds":[\d.]+,/,
    );
    expect(JSON.parse(out)).toMatchObject({ violations: 0, seed: 1, ok: true });
  });

  it('end with status 130 after Ctrl-C, at once', async () => {
    let askedMs = 0;
    const { status, out, said } = await command(
      process.execPath,
      ['bin/spillway.ts', 'simulate', '--years', '100000', '--json'],
      (child) => {
        child.stderr?.once('data', () => {
          askedMs = performance.now();
          child.kill('SIGINT');
        });
      },
    );
    expect(status).toBe(130);
    expect(performance.now() - askedMs).toBeLessThan(5_000);
    expect(JSON.parse(out)).toMatchObject({ ok: false, exit: 130, error: { name: 'InterruptedError' } });
    expect(said).toMatch(/interrupted/);
  });
});

it('the detection table goes between its comments in a file', async () => {
  const path = await file('page.md', '# Page\n<!-- detection:begin --><!-- detection:end -->\nend\n');
  const { status, out } = await simulateHere('--detection', '--runs', '2', '--write', path, '--json');
  expect(status).toBe(0);
  expect(JSON.parse(out).rows.map(({ fraction }: { fraction: number }) => fraction)).toEqual([
    1, 0.5, 0.3, 0.2, 0.12, 0.05, 0.03, 0.01,
  ]);
  expect(await readFile(path, 'utf8')).toMatch(
    /^# Page\n<!-- detection:begin -->\n\n\| failing writes \|[\s\S]*\| 1 % [\s\S]*\|\n\n<!-- detection:end -->\nend\n$/,
  );
});

it('the package’s own command finds its Node and passes the status on', async () => {
  const { bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const wrong = await command(join(root, bin.spillway), ['simulate', '--seeds', '0..']);
  expect(wrong.status).toBe(2);
  const help = await command(join(root, bin.spillway), ['--help']);
  expect(help).toMatchObject({ status: 0 });
  expect(help.out).toMatch(/simulate \[options\]/);
});
