import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createColors } from 'picocolors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { abortEnd, type RunFacts, resultEnd } from '../../lib/cli/drill-end.ts';
import type { DrillFlags } from '../../lib/cli/drill-flags.ts';
import { DeployFailedError } from '../../lib/local/deploy/errors.ts';
import { DrillError } from '../../lib/local/drill/errors.ts';
import type { DrillResult } from '../../lib/local/drill/result.ts';
import { RefusedError, UsageError } from '../../lib/operate/errors.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-drill-end-'));
  await mkdir(join(directory, 'localstack'));
  const files = [
    'events.jsonl',
    'deploy.log',
    'localstack/localstack.log',
    'localstack/lambda-a-s-observer.log',
  ];
  await Promise.all(files.map((file) => writeFile(join(directory, file), '')));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const held: DrillResult = {
  scenario: '2024-kinesis',
  verdict: 'hold',
  expected: 'hold',
  ok: true,
  judged: true,
  failures: [],
  failedBy: [],
  diagnosis: 'Healthy',
  detectMs: null,
  flipMs: null,
  rtoMs: null,
  latchedMs: null,
  cells: { orders: 'us-east-1' },
  records: { acknowledged: 9, delivered: 9, lost: 0, duplicates: 0, spooled: 0, reordered: 0 },
  consumers: {
    ...{ processed: 9, lost: 0, duplicates: 0, reordered: 0, late: 0, stranded: 0 },
    ...{ normalDelayMs: 2_000, rtoMs: 0 },
  },
  flips: 0,
  audit: { calls: 1, violations: 0 },
  pace: { putP50Ms: [40], putP95Ms: [90], readP50Ms: [35], readP95Ms: [80], late: [0], calls: [2_000] },
  seed: 7,
};
const moved: DrillResult = {
  ...held,
  ok: false,
  verdict: 'failover',
  failures: ['expected hold, saw failover'],
  failedBy: ['verdict'],
};

const io = { env: {}, colors: createColors(false) };
const run = (flags: Partial<DrillFlags> = {}, facts: Partial<RunFacts> = {}): RunFacts => ({
  flags: { scenario: '2024-kinesis', ...flags },
  primary: 'us-east-1',
  seed: 7,
  directory,
  beside: () => [],
  ...facts,
});

describe('the end of a drill', () => {
  it('that held says where everything is, and no next step', async () => {
    const { exit, document, screen } = await resultEnd(held, run());
    expect(exit).toBe(0);
    expect(document).toEqual({ ...held, runDirectory: directory });
    expect(screen).not.toMatch(/next:|look at/);
  });

  it('that a slow machine kept from a judgement neither held nor failed: 4, and once more', async () => {
    const notJudged = 'the machine is too slow to judge: 7.2 % late';
    const { exit, document, screen } = await resultEnd({ ...moved, judged: false, notJudged }, run());
    expect(exit).toBe(4);
    expect(document).toMatchObject({ ok: false, judged: false, notJudged, runDirectory: directory });
    expect(document).toMatchObject({ nextCommand: 'spillway drill --scenario 2024-kinesis --seed 7' });
    expect(screen).toMatch(/could not be judged/);
    expect(screen).toContain(notJudged);
    expect(screen).not.toMatch(/did NOT meet/);
  });

  it('that waited in vain on a slow machine says so as well', async () => {
    const error = new DrillError('Waited 180 s. But the machine is too slow to judge.', 'too-slow');
    const { exit, document } = await abortEnd(io, error, run());
    expect(exit).toBe(4);
    expect(document).toMatchObject({ ok: false, judged: false, exit: 4, error: { message: error.message } });
  });

  it('that did not names the files of the run and one command, in JSON and in words', async () => {
    const { exit, document, screen } = await resultEnd(moved, run({ scenario: "my outage's.yaml" }));
    const nextCommand = `spillway simulate --scenario 'my outage'\\''s.yaml' --seeds 1 --trace`;
    const observer = join(directory, 'localstack/lambda-a-s-observer.log');
    expect(exit).toBe(1);
    expect(document).toMatchObject({
      failures: moved.failures,
      failedBy: ['verdict'],
      runDirectory: directory,
      lookAt: [{ file: join(directory, 'events.jsonl') }, { file: observer }],
      nextCommand,
    });
    expect(screen).toMatch(/✗ expected hold, saw failover/);
    expect(screen).toContain(`  ${observer}  what this observer measured and decided`);
    expect(screen).toContain(`next: ${nextCommand}`);
  });

  it('is repeated as it was asked for', async () => {
    const flags = { blackout: 'us-east-1', for: 90_000, failback: true, recovery: 60_000 } as const;
    expect((await resultEnd(moved, run(flags))).document).toMatchObject({
      nextCommand:
        'spillway drill --scenario 2024-kinesis --for 1m30s --recovery 1m --blackout us-east-1 --seed 7 --failback --keep',
    });
  });

  it('with a flood is repeated with it, and says what the flood did', async () => {
    const flags = { flood: 1_000, floodFor: 90_000 } as const;
    const flood = {
      ok: false,
      requestsPerSecond: 1_000,
      forMs: 90_000,
      reserved: 100,
      expected: 'holds',
      sent: 90_000,
      refused: 900,
      unsent: 0,
      answersChanged: 2,
    } as const;
    const { document, screen } = await resultEnd({ ...moved, flood, failedBy: ['flood'] }, run(flags));
    expect(document).toMatchObject({
      flood: { answersChanged: 2 },
      nextCommand: 'spillway drill --scenario 2024-kinesis --flood 1000 --flood-for 1m30s --seed 7',
    });
    expect(screen).toContain(
      'flood: 1000 requests/s for 90 s, 1 % refused with 100 reserved; the latch was to hold, and 2 DNS answers changed',
    );
  });

  it('while the world stands is looked at in that world', async () => {
    const worldFile = join(directory, 'world.json');
    expect((await resultEnd(moved, run({ keep: true }, { worldFile }))).document).toMatchObject({
      nextCommand: `spillway why --world ${worldFile}`,
    });
  });

  it('beside another drill names that one, and is to be repeated alone', async () => {
    const other = { pid: 12, user: 'ana', what: '2020-kinesis', sinceMs: 1, runDirectory: '/runs/0' };
    const beside = () => [{ ...other, activity: 'drilling', birth: '', ticket: 3 } as const];
    const { document, screen } = await resultEnd(moved, run({}, { beside }));
    expect(document).toMatchObject({
      beside: [other],
      nextCommand: 'spillway drill --scenario 2024-kinesis --seed 7',
    });
    expect(screen).toMatch(/another drill ran beside this one: the timings below cannot be trusted/);
  });
});

describe('the end of a drill that could not be carried out', () => {
  it.each([
    ['no deployment', () => new DeployFailedError('no', 'x'), /^tail -n 60 .*\/deploy\.log$/],
    [
      'a LocalStack that died',
      () => new DrillError('died', 'localstack-died'),
      /^tail -n 60 .*\/localstack\/localstack\.log$/,
    ],
    ['a failback that was refused', () => new DrillError('no', 'failback-refused'), /--seed 7 --keep$/],
    ['time that was over', () => new DrillError('waited', 'not-at-rest'), /^spillway drill .*--seed 7$/],
    [
      'a LocalStack that did not answer',
      () => Object.assign(new Error('no'), { name: 'TimeoutError' }),
      /^spillway drill .*--seed 7$/,
    ],
    ['anything else', () => new TypeError('no'), /^spillway drill .*--seed 7$/],
  ])('for %s has its next step', async (_, error, nextCommand) => {
    const { exit, document, words } = await abortEnd(io, error(), run());
    expect(exit).toBe(1);
    expect(document).toMatchObject({
      ok: false,
      exit: 1,
      error: { name: error().name },
      runDirectory: directory,
      nextCommand: expect.stringMatching(nextCommand),
    });
    expect(words).toMatch(/^error /);
    expect(words).toMatch(/\nnext: /);
  });

  it('by wrong usage has none: the message says it all', async () => {
    const { exit, document } = await abortEnd(io, new UsageError('no such region'), run());
    expect(exit).toBe(2);
    expect(document).not.toHaveProperty('nextCommand');
  });

  it('by a refusal waits', async () => {
    const refused = new RefusedError([{ rule: 'other-drill', reason: 'another drill runs' }]);
    const { exit, document } = await abortEnd(io, refused, run());
    expect(exit).toBe(3);
    expect(document).toMatchObject({ nextCommand: expect.stringMatching(/ --wait-for-other 15m$/) });
  });
});
