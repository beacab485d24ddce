import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FakeAws, startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';
import { configInput } from '../operate/fixtures/readings.ts';
import { type Shell, startShell } from './fixtures/cli.ts';

const cells = [...configInput.cells, { name: 'drill', stream: { name: 'rehearsal', existing: true } }];
/** Nobody listens there: a question ends at once. */
const dns = '--dns 127.0.0.1:9';
let aws: FakeAws;
let shell: Shell;

beforeEach(async () => {
  aws = await startFakeAws();
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  shell = await startShell();
  const drilling = { ...configInput, cells, drill: { cell: 'drill' } };
  await writeFile(join(shell.directory, 'drilling.json'), JSON.stringify(drilling));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await shell.close();
  await aws.close();
});

const drill = (flags: string) => shell.run(`drill --aws --config drilling.json ${flags}`);

describe('drill --aws', () => {
  test('with --dry-run tells every call, there and back, and makes none', async () => {
    const { exit, json } = await drill(`${dns} --reason test --dry-run --json`);
    expect(exit).toBe(0);
    expect(aws.calls).toEqual([]);
    const { calls } = json as {
      calls: { operation: string; region: string; parameters: Record<string, unknown> }[];
    };
    const of = (operation: string) => calls.filter((call) => call.operation === operation);
    const [there, back] = of('StartExecution').map(({ parameters }) => JSON.parse(String(parameters.input)));
    expect(there).toMatchObject({ action: 'evacuate', trigger: 'asked', groups: ['drill'] });
    expect(back).toMatchObject({ action: 'failback', groups: ['drill'], pauseSeconds: 60 });
    expect(of('PutRecords').map(({ region, parameters }) => [region, parameters.StreamName])).toEqual([
      ['us-east-1', 'rehearsal'],
      ['us-west-2', 'rehearsal'],
    ]);
    const [metrics] = of('PutMetricData');
    expect(metrics).toMatchObject({
      region: 'us-west-2',
      parameters: {
        Namespace: 'Spillway/shop',
        MetricData: [{ MetricName: 'DrillSuccess' }, { MetricName: 'DrillRto', Unit: 'Milliseconds' }],
      },
    });
  });

  test('is refused with 3, with each guard’s name, when observers are silent, and starts nothing', async () => {
    const { exit, json } = await drill(`${dns} --reason test --yes --json`);
    expect(exit).toBe(3);
    const { error } = json as { error: { refusals: { rule: string }[] } };
    expect(error.refusals.map(({ rule }) => rule)).toEqual(['observer-silent', 'not-in-primary', 'way-back']);
    expect(aws.started.size).toBe(0);
    expect(tableOf(aws, 'us-west-2/shop-state').size).toBe(0);
  });

  test('needs a cell for drills in the config', async () => {
    const { exit, err } = await shell.run(`drill --aws ${dns} --reason test --yes`);
    expect(exit).toBe(2);
    expect(err).toMatch(/names no cell for drills/);
  });

  test.each([
    ['without a reason', '--yes', /--reason/],
    ['without consent', '--reason test', /--yes/],
    [
      'beside a scenario',
      '--reason test --yes --scenario 2024-kinesis',
      /--scenario is for the drill on this/,
    ],
    ['beside --keep', '--reason test --yes --keep', /--keep is for the drill on this machine/],
  ])('is wrong usage %s', async (_what, flags, message) => {
    const { exit, err } = await drill(`${dns} ${flags}`);
    expect(exit).toBe(2);
    expect(err).toMatch(message);
    expect(aws.started.size).toBe(0);
  });

  test('does not run with a producer that is pinned', async () => {
    const env = { SPILLWAY_REGION: 'us-east-1' };
    const run = shell.run(`drill --aws --config drilling.json ${dns} --reason test --yes`, { env });
    expect(await run).toMatchObject({ exit: 2, err: expect.stringMatching(/SPILLWAY_REGION is set/) });
  });
});

describe('drill without --aws', () => {
  test.each(['--reason x', '--yes', '--dry-run', '--local', '--schedule off', '--owner ana'])(
    'does not take %s, which would do nothing',
    async (flag) => {
      // A config that is not there: should the check ever be gone, no world is built here.
      const { exit, err } = await shell.run(`drill --config missing.json ${flag}`);
      expect(exit).toBe(2);
      expect(err).toMatch(/needs --aws/);
    },
  );
});

describe('drill --aws --schedule', () => {
  const rule = 'us-west-2/shop-drill';
  const journal = () =>
    [...tableOf(aws, 'us-west-2/shop-state').values()].filter((item) => item.pk?.S === 'journal');

  test.each([
    ['off', 'ENABLED', 'DISABLED', 'weekly'],
    ['weekly', 'DISABLED', 'ENABLED', 'off'],
  ] as const)(
    '%s turns the deployed rule, in the standby, and puts it on record',
    async (to, from, state, was) => {
      aws.rules.set(rule, from);
      const { exit, json } = await drill(`--schedule ${to} --reason moving --owner ana --yes --json`);
      expect(exit).toBe(0);
      expect(json).toEqual({ ok: true, rule: 'shop-drill', before: was, after: to, journaled: true });
      expect(aws.rules.get(rule)).toBe(state);
      expect(journal()).toMatchObject([
        { what: { S: 'schedule' }, who: { S: expect.stringMatching(/^ana \(arn:/) }, why: { S: 'moving' } },
      ]);
      expect([...new Set(aws.calls.map(({ region }) => region))]).toEqual(['us-west-2']);
    },
  );

  test('with --dry-run changes nothing', async () => {
    aws.rules.set(rule, 'ENABLED');
    const { exit, json } = await drill('--schedule off --reason moving --dry-run --json');
    expect(exit).toBe(0);
    const { calls } = json as { calls: { operation: string }[] };
    expect(calls.map(({ operation }) => operation)).toEqual(
      expect.arrayContaining(['DescribeRule', 'DisableRule', 'PutItem']),
    );
    expect(aws.rules.get(rule)).toBe('ENABLED');
  });

  test('says so when nothing of the kind is deployed', async () => {
    const { exit, err } = await drill('--schedule off --reason moving --yes');
    expect(exit).toBe(2);
    expect(err).toMatch(/There is no rule shop-drill/);
    expect(journal()).toEqual([]);
  });

  test('is not a drill in the eyes of status', async () => {
    aws.rules.set(rule, 'ENABLED');
    await drill('--schedule off --reason moving --yes');
    const { json } = await shell.run(`status --config drilling.json ${dns} --json`);
    expect(json).toMatchObject({ lastDrill: 'none' });
  });
});
