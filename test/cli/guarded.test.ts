import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { serializeMemory } from '../../lambda/core/memory.ts';
import { localTime } from '../../lib/cli/local-time.ts';
import { type FakeAws, startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';
import { config, MINUTE_MS, NOW_MS, type ReportOptions, report } from '../operate/fixtures/readings.ts';
import { type Shell, startShell } from './fixtures/cli.ts';

let aws: FakeAws;
let shell: Shell;

beforeEach(async () => {
  aws = await startFakeAws();
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  shell = await startShell();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await shell.close();
  await aws.close();
});

const at = { nowMs: () => NOW_MS };
const { recoveryMs } = config.policy;
const state = () => tableOf(aws, 'us-west-2/shop-state');
const journal = () => [...state().values()].filter(({ pk }) => pk?.S === 'journal');
const regionsOf = (operation: string) =>
  aws.calls.filter((call) => call.operation === operation).map(({ region }) => region);

/** Every observer has stored this two seconds ago. */
function observers(options: ReportOptions = {}): void {
  const { memory, phase, decidedAtMs, expiresAtMs } = report({}, options);
  for (const region of ['us-west-2', 'us-east-2', 'eu-west-1']) {
    tableOf(aws, `${region}/shop-vote`).set('observer#undefined', {
      pk: { S: 'observer' },
      vote: { S: 'HOLD' },
      diagnosis: { S: 'Healthy' },
      phase: { S: phase },
      comment: { S: 'the primary is healthy' },
      decidedAtMs: { N: String(decidedAtMs) },
      expiresAtMs: { N: String(expiresAtMs) },
      voteSinceMs: { N: '1' },
      epoch: { N: '1' },
      refusals: { L: [] },
      memory: { S: serializeMemory(memory) },
    });
  }
}

function switchOf(group: string, epoch = 3): void {
  state().set(`switch#${group}`, {
    pk: { S: 'switch' },
    sk: { S: group },
    position: { S: 'STANDBY' },
    epoch: { N: String(epoch) },
    owner: { S: 'ana' },
    reason: { S: 'inc-4711' },
    atMs: { N: String(NOW_MS - MINUTE_MS) },
  });
}

/** What the conductor journals, as it would. */
function line(what: string, after: Readonly<Record<string, number>>, afterMs: number): void {
  const numbers = Object.entries(after).map(([key, value]) => [key, { N: String(value) }]);
  state().set(`journal#${afterMs}`, {
    pk: { S: 'journal' },
    sk: { S: String(NOW_MS + afterMs) },
    atMs: { N: String(NOW_MS + afterMs) },
    who: { S: 'conductor for ana' },
    what: { S: what },
    why: { S: 'go' },
    epoch: { N: '1' },
    after: { M: Object.fromEntries(numbers) },
  });
}

const early: ReportOptions = { healthyForMs: 5 * MINUTE_MS };
const readyAtMs = NOW_MS + recoveryMs - 5 * MINUTE_MS;

describe('--check', () => {
  test('of a failback says that it would be refused, by which guard and until when, and needs no reason', async () => {
    observers(early);
    switchOf('orders');
    const { exit, out } = await shell.run('failback --check --cells orders', at);
    expect(exit).toBe(3);
    const time = localTime(readyAtMs, { nowMs: NOW_MS });
    expect(out.split('\n')).toEqual([
      `failback of orders: would be refused by 1 guard; possible from ${time}, if no other guard refuses by then.`,
      `  recovery: fewer than 2 observers have seen the primary healthy for ${recoveryMs / 1_000} s, until ${time}`,
    ]);
    expect(new Set(aws.calls.map(({ operation }) => operation))).toEqual(new Set(['GetItem', 'Query']));
  });

  test('of a failback goes by the same rule as the failback itself, minute by minute', async () => {
    switchOf('orders');
    for (const beforeMs of [1, 0, -1]) {
      observers({ healthyForMs: recoveryMs - beforeMs });
      const checked = await shell.run('failback --check --cells orders --json', at);
      const real = await shell.run('failback --cells orders --reason x --yes --wait 0s', at);
      expect(checked.exit).toBe(beforeMs > 0 ? 3 : 0);
      expect(real.exit).toBe(checked.exit);
      expect(checked.json).toMatchObject({
        ok: beforeMs <= 0,
        check: true,
        refused: beforeMs > 0,
        possibleFrom: new Date(NOW_MS + Math.max(0, beforeMs)).toISOString(),
      });
    }
  });

  test('sees the size of the primary, undrained cells and a length that nobody can force, as the conductor does', async () => {
    observers();
    switchOf('orders');
    const peak = { M: { bytesPerSecond: { N: '5000000' }, recordsPerSecond: { N: '900' } } };
    state().set('capacity#orders', {
      pk: { S: 'capacity' },
      sk: { S: 'orders' },
      cell: { S: 'orders' },
      surveyedAtMs: { N: String(NOW_MS) },
      peak,
      primary: { M: { mode: { S: 'provisioned' }, shards: { N: '1' } } },
    });
    const line = 'failback --check --cells orders --after-drain --percent 1 --pause 1h';
    const { exit, json } = await shell.run(`${line} --json`, at);
    expect(exit).toBe(3);
    expect(json).toMatchObject({
      possibleFrom: null,
      refusals: [{ rule: 'capacity' }, { rule: 'drain' }, { rule: 'length' }],
    });
    expect((await shell.run(`${line} --force`, at)).exit).toBe(3);
    // The other cell is not held back by this one.
    expect((await shell.run('failback --check --cells clicks', at)).exit).toBe(0);
  });

  test('says what is not in the standby, and who is at work', async () => {
    observers();
    const lease = { holder: { S: 'all-7' }, epoch: { N: '7' }, untilMs: { N: String(NOW_MS + 1) } };
    state().set('lease#conductor', { pk: { S: 'lease' }, sk: { S: 'conductor' }, ...lease });
    switchOf('orders');
    const { out, exit } = await shell.run('failback --check --all', at);
    expect(exit).toBe(0);
    expect(out).toMatch(/would start\. No guard refuses\./);
    expect(out).toMatch(/nothing to do, because no switch holds: clicks/);
    expect(out).toMatch(/all-7 is running/);
    expect((await shell.run('failover --check --all', at)).out).toMatch(
      /held in the standby already: orders/,
    );
  });

  test('of a failover looks at the standby alone', async () => {
    observers({ primaryFails: true });
    expect((await shell.run('failover --check --all', at)).exit).toBe(0);
    observers({ standbyFails: true });
    const { exit, json } = await shell.run('failover --check --all --json', at);
    expect(exit).toBe(3);
    expect(json).toMatchObject({ ok: false, possibleFrom: null, refusals: [{ rule: 'standby-unfit' }] });
    const forced = await shell.run('failover --check --all --force', at);
    expect(forced.exit).toBe(0);
    expect(forced.out).toMatch(
      /by force: --force overrules 1 guard\.\n {2}standby-unfit: us-west-2 is impaired/,
    );
  });
});

describe('a dry run', () => {
  test('begins with the check, ends as it does, and has a plan of a few lines', async () => {
    observers(early);
    const { exit, out } = await shell.run('failback --all --reason over --dry-run', at);
    expect(exit).toBe(3);
    expect(out).toMatch(/^failback of orders, clicks: would be refused by 1 guard; possible from/);
    expect(out).toMatch(/^after {3}us-east-1, 100 % of the groups at a time/m);
    expect(out).toMatch(/^ {2}sfn StartExecution in us-west-2$/m);
    expect(out.split('\n').length).toBeLessThan(25);
    expect(out).not.toContain('TableName');
    observers();
    expect((await shell.run('failback --all --reason over --dry-run', at)).exit).toBe(0);
  });

  test.each(['failover', 'failback'])(
    'of a %s reads to ask the guards, and changes nothing',
    async (verb) => {
      observers();
      const { exit, json } = await shell.run(`${verb} --all --reason over --dry-run --json`, at);
      expect(exit).toBe(0);
      expect(new Set(aws.calls.map(({ operation }) => operation))).toEqual(new Set(['GetItem', 'Query']));
      expect([...state().keys()]).toEqual([]);
      const { calls } = json as { calls: { operation: string; parameters: unknown }[] };
      const start = calls.find(({ operation }) => operation === 'StartExecution');
      expect(JSON.stringify(start?.parameters)).toContain('<account>');
      // What the guards were asked by is part of the plan.
      expect(calls.filter(({ operation }) => operation === 'GetItem').length).toBeGreaterThanOrEqual(3);
      expect(regionsOf('GetItem')).toContain('eu-west-1');
    },
  );

  test('shows each call with its parameters on request', async () => {
    observers();
    const { out } = await shell.run('failover --all --reason over --dry-run --verbose', at);
    expect(out).toContain('"TableName": "shop-state"');
  });
});

describe('--force', () => {
  test.each([
    ['failback', 'recovery: fewer than 2 observers have seen the primary healthy for'],
    ['failover', 'standby-unfit: us-west-2 is impaired'],
  ])('of a %s says before the question what it overrules, and puts it on record', async (verb, said) => {
    observers({ ...early, standbyFails: verb === 'failover' });
    const shown: string[] = [];
    const asked = await shell.run(`${verb} --cells orders --force --reason x --wait 0s`, {
      ...at,
      interactive: true,
      err: (text) => void shown.push(text),
      confirm: async () => {
        expect(shown.join('\n')).toContain(`--force overrules ${said}`);
        return false;
      },
    });
    expect(asked.exit).toBe(2);
    expect(aws.started.size).toBe(0);
    const done = await shell.run(`${verb} --cells orders --force --reason x --yes --wait 0s`, at);
    expect(done.err).toContain(`--force overrules ${said}`);
    expect(JSON.stringify([...aws.started.values()])).toMatch(/"reason":"x \[forced although /);
  });

  test('says when there is nothing to overrule', async () => {
    observers();
    const { err } = await shell.run('failback --all --force --reason x --yes --wait 0s', at);
    expect(err).toContain('--force overrules nothing');
    expect(aws.started.get('all-1')).toMatchObject({ reason: 'x' });
  });
});

describe('while it runs', () => {
  const report0 = { run: 'orders-1', epoch: 1, startedAtMs: NOW_MS, findings: [] };

  test('a failover tells its stages as they are over, and ends in words', async () => {
    observers();
    line('evacuate begins', {}, 0);
    line('fitness', {}, 1_000);
    line('latch', { standby: 1, groups: 1, overruled: 0 }, 2_000);
    line('dns', { standby: 1 }, 34_000);
    line('arrivals', { seen: 1, silent: 0 }, 35_000);
    line('consumers', { seen: 1, unseen: 2, unknown: 0 }, 95_000);
    const times = { latchedAtMs: NOW_MS + 800, dnsAtMs: NOW_MS + 34_400 };
    aws.run = { status: 'SUCCEEDED', output: { ...report0, ...times, state: 'latched', latched: 1 } };
    const { exit, err, out } = await shell.run('failover --cells orders --reason go --yes', at);
    expect(exit).toBe(0);
    expect(err.split('\n').slice(-5)).toEqual([
      'stage 1 of 6, checks: the move to us-west-2 is wanted (1 s)',
      'stage 2 of 6, latch: 1 of 1 switch in STANDBY (2 s)',
      'stage 3 of 6, DNS: us-west-2 is the answer for 1 cell (34 s)',
      'stage 4 of 6, arrivals: records arrive in 1 stream (35 s)',
      'stage 5 of 6, consumers: 1 consumer took up; nothing seen of 2 (95 s)',
    ]);
    expect(out).toMatch(
      /^failover: orders is in us-west-2 after 34 s; the switch has held since 0\.8 s after the start/,
    );
  });

  test('a failback says what it is doing in which of its stages', async () => {
    observers();
    line('failback begins', {}, 0);
    line('guards', {}, 1_000);
    line('release', { stage: 0, released: 1, of: 2 }, 2_000);
    line('dns', { stage: 0, primary: 1 }, 36_000);
    aws.run = { status: 'RUNNING' };
    const { exit, err } = await shell.run('failback --all --percent 50 --reason over --yes --wait 1s', at);
    expect(exit).toBe(4);
    const until = localTime(NOW_MS + 302_000, { nowMs: NOW_MS });
    expect(err.split('\n').slice(-4)).toEqual([
      'checks: no guard refuses (1 s)',
      'stage 1 of 2, release: 1 of 2 switches back (2 s)',
      'stage 1 of 2, DNS: us-east-1 is the answer for 1 cell (36 s)',
      `stage 1 of 2, watch: whether us-east-1 stays healthy, until ${until}`,
    ]);
  });

  test('a failback ends in words, with the time that DNS took', async () => {
    observers();
    const report = { ...report0, state: 'failed-back', latched: 0, dnsAtMs: NOW_MS + 34_000 };
    aws.run = { status: 'SUCCEEDED', output: report };
    const { exit, out } = await shell.run('failback --cells orders --reason over --yes', at);
    expect(exit).toBe(0);
    expect(out).toMatch(
      /^failback: orders is back in us-east-1 after 34 s; us-east-1 stayed healthy while it was watched for 300 s/,
    );
  });

  test('the loser of two is told by whom it was overtaken, and how to watch that one', async () => {
    observers();
    const covers = 'all-2 (failover by bob, epoch 2) has begun. It covers every group of this act';
    const end = { state: 'superseded', latched: 0, nextCommand: 'spillway status --watch' };
    aws.run = { status: 'SUCCEEDED', output: { ...report0, ...end, findings: [covers] } };
    const { exit, out } = await shell.run('failover --cells orders --reason go --yes', at);
    expect(exit).toBe(4);
    expect(out).toContain(`  ${covers}\n`);
    expect(out).toMatch(/next: spillway status --watch$/);
    const claim = [...state().values()].find(({ pk }) => pk?.S === 'epoch');
    expect(claim).toMatchObject({ what: { S: 'failover' }, groups: { L: [{ S: 'orders' }] } });
  });
});

test('failover --direct that a newer act has overtaken says that its cells are covered, and by whom', async () => {
  observers();
  switchOf('orders', 9);
  const { exit, out } = await shell.run('failover --all --direct --reason go --yes', at);
  expect(exit).toBe(0);
  expect(out).toMatch(/^in the standby already: orders, by ana \(epoch 9\)$/m);
  expect(journal()[0]?.after).toMatchObject({ M: { covered: { L: [{ S: 'orders' }] } } });
});
