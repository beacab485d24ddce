import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stepNamed } from '../../lambda/core/conductor.ts';
import { wouldKey } from '../../lambda/core/would.ts';
import { DEFAULT_WAIT_MS } from '../../lib/cli/failover.ts';
import { type FakeAws, startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';
import { configInput } from '../operate/fixtures/readings.ts';
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

const identity = 'arn:aws:sts::123456789012:assumed-role/oncall/ana';
/** A day before her window. */
const carolMs = Date.parse('2098-12-31T02:00Z');
const state = () => tableOf(aws, 'us-west-2/shop-state');
const control = () => state().get('control#control');
const journal = () => [...state().values()].filter((item) => item.pk?.S === 'journal');
const regions = () => [...new Set(aws.calls.map(({ region }) => region))].toSorted();

describe('a dry run', () => {
  test.each([
    ['pause', 'PutItem'],
    ['resume', 'PutItem'],
    ['maintenance', 'PutItem'],
    ['approve', 'PutItem'],
    ['ack', 'PutItem'],
  ])('of %s makes no call, and tells the one that would change something', async (verb, operation) => {
    const { exit, json } = await shell.run(`${verb} --reason test --dry-run --json`);
    expect(exit).toBe(0);
    expect(aws.calls).toEqual([]);
    const { calls } = json as { calls: { operation: string; region: string; parameters: unknown }[] };
    expect(calls.map((call) => call.operation)).toContain(operation);
    expect(calls.every(({ region }) => region !== 'us-east-1')).toBe(true);
  });

  test('shows the parameters of each call to a person', async () => {
    const { out } = await shell.run('pause --for 2h --reason test --owner ana --dry-run');
    expect(out).toMatch(/^dynamodb PutItem in us-west-2$/m);
    expect(out).toContain('"TableName": "shop-state"');
    expect(out).toContain('"owner": "ana (arn:aws:sts::');
  });
});

describe('an override', () => {
  test('is written with owner, reason and expiry, and with before and after in the journal', async () => {
    const nowMs = Date.now();
    const { exit, json } = await shell.run('pause --for 90m --reason drill --yes --json', {
      nowMs: () => nowMs,
    });
    expect(exit).toBe(0);
    const pause = {
      owner: 'arn:aws:sts::123456789012:assumed-role/oncall/ana',
      reason: 'drill',
      untilMs: nowMs + 90 * 60_000,
    };
    expect(json).toMatchObject({ ok: true, before: {}, after: { pause }, journaled: true });
    expect(control()?.pause).toEqual({
      M: { owner: { S: pause.owner }, reason: { S: 'drill' }, untilMs: { N: String(pause.untilMs) } },
    });
    expect(journal()).toMatchObject([{ who: { S: pause.owner }, what: { S: 'pause' }, why: { S: 'drill' } }]);
    expect(journal()[0]).toMatchObject({
      before: { M: {} },
      after: { M: { pause: { M: { reason: { S: 'drill' } } } } },
    });
    expect(regions()).toEqual(['us-west-2']);
  });

  test('may be about single cells, which the config has to know', async () => {
    await shell.run('pause --cells orders --reason resharding --yes');
    expect(control()?.pause).toBeUndefined();
    expect(control()?.cells).toMatchObject({
      M: { orders: { M: { pause: { M: { reason: { S: 'resharding' } } } } } },
    });
    expect((await shell.run('pause --cells odrers --reason x --yes')).exit).toBe(2);
    expect((await shell.run('resume --cells clicks --reason x --yes')).exit).toBe(3);
    expect((await shell.run('resume --cells orders --reason over --yes')).exit).toBe(0);
    expect(control()?.cells).toBeUndefined();
  });

  test('ends with resume', async () => {
    await shell.run('pause --reason drill --yes');
    expect((await shell.run('resume --reason over --yes')).exit).toBe(0);
    expect(control()?.pause).toBeUndefined();
    expect(journal()).toHaveLength(2);
    expect((await shell.run('resume --reason again --yes')).exit).toBe(3);
  });

  test('that is longer, or is of another time, is not replaced by a shorter one without --force', async () => {
    await shell.run('pause --for 4h --reason carol --yes --owner carol');
    const { exit, json } = await shell.run('pause --for 1h --reason bob --yes --owner bob --json');
    expect(exit).toBe(3);
    expect(json).toMatchObject({ error: { refusals: [{ rule: 'shortens' }] } });
    expect(control()?.pause).toMatchObject({ M: { owner: { S: `carol (${identity})` } } });
    expect((await shell.run('pause --for 5h --reason bob --yes --owner bob')).exit).toBe(0);
    expect((await shell.run('pause --for 1h --reason bob --yes --owner dan --force')).exit).toBe(0);
    expect(control()?.pause).toMatchObject({ M: { owner: { S: `dan (${identity})` } } });
    await shell.run('maintenance --from 2099-01-01T02:00Z --reason carol --yes', { nowMs: () => carolMs });
    const replaced = await shell.run('maintenance --for 1h --reason bob --yes', { nowMs: () => carolMs });
    expect(replaced.exit).toBe(3);
  });

  test('that has not begun is left alone by resume, unless it is named', async () => {
    const at = { nowMs: () => carolMs };
    await shell.run('maintenance --from 2099-01-01T02:00Z --reason resharding --yes --owner carol', at);
    await shell.run('pause --reason drill --yes', at);
    expect((await shell.run('resume --reason over --yes', at)).exit).toBe(0);
    expect(control()?.pause).toBeUndefined();
    expect(control()?.maintenance).toMatchObject({ M: { owner: { S: `carol (${identity})` } } });
    const again = await shell.run('resume --reason over --yes', at);
    expect(again.exit).toBe(3);
    expect(again.err).toMatch(/maintenance window of carol \(arn:.+\) from 2099-01-01T02:00:00.000Z is set/);
    expect((await shell.run('resume --pause --reason over --yes', at)).exit).toBe(3);
    expect((await shell.run('resume --maintenance --reason over --yes', at)).exit).toBe(0);
    expect(control()?.maintenance).toBeUndefined();
  });

  test('that cannot be understood is cleared by resume, which keeps the mode, and the whole of it in the journal', async () => {
    state().set('control#control', {
      pk: { S: 'control' },
      sk: { S: 'control' },
      mode: { S: 'observe' },
      pause: { S: 'until carol says so' },
    });
    expect((await shell.run('pause --reason drill --yes')).exit).toBe(3);
    const { exit, err } = await shell.run('resume --reason seen --yes');
    expect(exit).toBe(0);
    expect(err).toContain('until carol says so');
    expect(control()).toMatchObject({ mode: { S: 'observe' }, revision: { N: '1' } });
    expect(control()?.pause).toBeUndefined();
    expect(journal()[0]?.before).toMatchObject({
      M: { unreadable: { M: { mode: { S: 'observe' }, pause: { S: 'until carol says so' } } } },
    });
  });

  test('does not undo what somebody wrote meanwhile', async () => {
    await shell.run('pause --reason first --yes');
    const { exit, err } = await shell.run('maintenance --reason second', {
      interactive: true,
      confirm: async () => {
        await shell.run('resume --reason meanwhile --yes');
        return true;
      },
    });
    expect(exit).toBe(1);
    expect(err).toMatch(/has changed since it was read/);
    expect(control()?.maintenance).toBeUndefined();
  });

  test('of consent is refused with 3 where the mode does not ask for it', async () => {
    const { exit, json } = await shell.run('approve --reason go --yes --json');
    expect(exit).toBe(3);
    expect(json).toMatchObject({ ok: false, error: { refusals: [{ rule: 'mode' }] } });
    expect(control()).toBeUndefined();
  });

  test('keeps the name that was told beside the identity, which no name can push out', async () => {
    await shell.run(['pause', '--reason', 'drill', '--yes', '--owner', `${'root '.repeat(100)}`]);
    const who = String(journal()[0]?.who?.S);
    expect(who).toMatch(/^root root /);
    expect(who.endsWith(`(${identity})`)).toBe(true);
    expect(who.length).toBeLessThanOrEqual(200);
  });

  test('is not written when STS does not answer for a name: the user of the machine stands in', async () => {
    aws.down.add('sts');
    expect((await shell.run('pause --reason drill --yes')).exit).toBe(0);
    expect(journal()[0]?.who?.S).not.toContain('arn:');
  });

  test('is shown before and after, and asked for, on a terminal', async () => {
    const refused = await shell.run('pause --reason drill', { interactive: true });
    expect(refused.exit).toBe(2);
    expect(refused.err).toMatch(/^before {2}nothing set/m);
    expect(refused.err).toMatch(/^after {3}pause by .* \(drill\) until /m);
    expect(control()).toBeUndefined();
    const agreed = await shell.run('pause --reason drill', { interactive: true, confirm: async () => true });
    expect(agreed.exit).toBe(0);
    expect(control()?.pause).toBeDefined();
  });

  test('names the table that does not answer, and fails', async () => {
    aws.down.add('dynamodb');
    const { exit, err } = await shell.run('pause --reason drill --yes');
    expect(exit).toBe(1);
    expect(err).toMatch(/shop-state does not answer/);
  });
});

describe('failover', () => {
  test('--direct sets every switch under one epoch, calls the standby alone, and passes the audit', async () => {
    const log = join(shell.directory, 'calls.jsonl');
    const env = { SPILLWAY_CALL_LOG: log };
    const { exit, json } = await shell.run('failover --all --direct --force --reason go --yes --json', {
      env,
    });
    expect(exit).toBe(0);
    expect(json).toMatchObject({ ok: true, epoch: 1, latched: ['clicks', 'orders'], failed: [] });
    for (const group of ['orders', 'clicks']) {
      expect(state().get(`switch#${group}`)).toMatchObject({ position: { S: 'STANDBY' }, epoch: { N: '1' } });
    }
    expect(journal()[0]?.why?.S).toMatch(/^go \[forced although none of 3 observers/);
    expect(regions()).toEqual(['eu-west-1', 'us-east-2', 'us-west-2']);
    const audited = await shell.run(['audit', log, '--json']);
    expect(audited.json).toMatchObject({ ok: true, violations: 0, calls: aws.calls.length });
  });

  test('--direct leaves a switch alone that a newer epoch has set, says so, and fails', async () => {
    state().set('switch#orders', {
      pk: { S: 'switch' },
      sk: { S: 'orders' },
      position: { S: 'PRIMARY' },
      epoch: { N: '9' },
    });
    const { exit, json } = await shell.run('failover --all --direct --force --reason go --yes --json');
    expect(exit).toBe(1);
    expect(json).toMatchObject({ latched: ['clicks'], failed: [{ group: 'orders' }] });
  });

  test('is refused with 3 when nobody is known to see the standby working, and starts nothing', async () => {
    const { exit, json } = await shell.run('failover --all --reason go --yes --json');
    expect(exit).toBe(3);
    expect(json).toMatchObject({ exit: 3, error: { refusals: [{ rule: 'standby-unknown' }] } });
    expect(aws.started.size).toBe(0);
    expect(state().size).toBe(0);
  });

  test('starts the conductor by name with its input, and reports what it did', async () => {
    const report = {
      run: 'clicks-1',
      epoch: 1,
      state: 'latched',
      startedAtMs: 1,
      latchedAtMs: 801,
      latched: 1,
      findings: [],
    };
    aws.run = { status: 'SUCCEEDED', output: report };
    const { exit, out } = await shell.run('failover --cells clicks --force --reason go --yes');
    expect(exit).toBe(0);
    expect(out).toMatch(
      /^failover: clicks is in us-west-2; the switch has held since 0\.8 s after the start.*\nlatched: run clicks-1, epoch 1$/,
    );
    expect(aws.started.get('clicks-1')).toMatchObject({
      action: 'evacuate',
      trigger: 'asked',
      epoch: 1,
      groups: ['clicks'],
      force: true,
    });
  });

  test.each([
    ['standby-unfit', 3],
    ['latched-dns-elsewhere', 4],
    ['partly-latched', 1],
  ])('ends with the status of the run: %s is %i', async (name, status) => {
    aws.run = {
      status: 'SUCCEEDED',
      output: {
        run: 'r',
        epoch: 1,
        state: name,
        startedAtMs: 1,
        latched: 0,
        findings: [],
        nextCommand: 'spillway status',
      },
    };
    const { exit, out } = await shell.run('failover --all --force --reason go --yes');
    expect(exit).toBe(status);
    expect(out).toMatch(/next: spillway status/);
  });

  test('reads the state that a run leaves which ends without a report', async () => {
    const carried = {
      run: 'all-1',
      startedAtMs: 1,
      latched: 2,
      findings: ['a newer act'],
      state: 'superseded',
    };
    aws.run = { status: 'SUCCEEDED', output: { ...carried, input: { epoch: 7 }, next: 'dns' } };
    const { exit, out } = await shell.run('failover --all --force --reason go --yes');
    expect(exit).toBe(4);
    expect(out).toMatch(
      /^failover: A newer act has begun.*\n {2}a newer act\nsuperseded: run all-1, epoch 7$/,
    );
  });

  test('an execution that failed has failed, with the reason', async () => {
    aws.run = { status: 'TIMED_OUT' };
    const { exit, out } = await shell.run('failover --all --force --reason go --yes');
    expect(exit).toBe(1);
    expect(out).toMatch(/the conductor failed \(TIMED_OUT\)/);
  });

  test.each([
    ['still runs when the wait is over', 'RUNNING', [], 'running'],
    ['cannot be seen', 'RUNNING', ['DescribeExecution'], 'unknown'],
  ])('does not pass for done when the run %s', async (_what, status, silent, name) => {
    aws.run = { status };
    for (const operation of silent) aws.down.add(operation);
    const { exit, json } = await shell.run('failover --all --force --reason go --yes --wait 1s --json');
    expect(exit).toBe(4);
    expect(json).toMatchObject({ ok: false, state: name, nextCommand: 'spillway status --watch' });
    expect(aws.started.size).toBe(1);
  });

  test('waits by default for longer than the conductor asks DNS', () => {
    const { timeoutMs, retry } = stepNamed('dns');
    const mostMs = (retry.attempts + 1) * timeoutMs + retry.attempts * retry.maxPauseMs;
    expect(DEFAULT_WAIT_MS).toBeGreaterThan(mostMs);
  });

  test('says how to go on when Step Functions does not answer', async () => {
    aws.down.add('states');
    const { exit, err } = await shell.run('failover --all --force --reason go --yes');
    expect(exit).toBe(1);
    expect(err).toMatch(/spillway failover --all --direct --reason/);
  });

  test('works from a config that names another standby', async () => {
    const regions = { primary: 'eu-west-1', standby: 'eu-central-1', witnesses: ['us-east-2', 'eu-north-1'] };
    const cells = [{ name: 'a', stream: 'a' }];
    await writeFile(
      join(shell.directory, 'other.json'),
      JSON.stringify({ name: 'shop', regions, zone: { id: 'Z1', name: 'x.example.com' }, cells }),
    );
    await shell.run('failover --all --direct --force --reason go --yes --config other.json');
    expect(regions.primary).not.toBe('');
    expect(aws.calls.map(({ region }) => region)).not.toContain('eu-west-1');
    expect(tableOf(aws, 'eu-central-1/shop-state').get('switch#a')).toMatchObject({
      position: { S: 'STANDBY' },
    });
  });
});

describe('failback', () => {
  test('is refused with 3 and the reason when no observer vouches for the primary', async () => {
    const { exit, err } = await shell.run('failback --all --reason over --yes');
    expect(exit).toBe(3);
    expect(err).toMatch(/0 observers see the primary healthy, 2 are needed \(recovery\)/);
    expect(aws.started.size).toBe(0);
  });

  test('hands stages, pause and drain to the conductor', async () => {
    const line =
      'failback --all --percent 25 --pause 10m --after-drain --force --wait 0s --reason over --yes --json';
    const { exit, json } = await shell.run(line);
    expect(exit).toBe(0);
    expect(json).toMatchObject({ state: 'running', run: 'all-1' });
    expect(aws.started.get('all-1')).toEqual({
      action: 'failback',
      epoch: 1,
      owner: 'arn:aws:sts::123456789012:assumed-role/oncall/ana',
      reason: expect.stringMatching(/^over \[forced although 0 observers .*\(recovery\)/),
      force: true,
      percent: 25,
      pauseSeconds: 600,
      afterDrain: true,
    });
  });
});

describe('failback --removed', () => {
  const standby = (group: string, epoch: string) =>
    state().set(`switch#${group}`, {
      pk: { S: 'switch' },
      sk: { S: group },
      position: { S: 'STANDBY' },
      epoch: { N: epoch },
    });

  test('releases what removed cells have left, and nothing else, without beginning an act', async () => {
    standby('orders', '4');
    standby('gone', '3');
    const { exit, json } = await shell.run('failback --removed --force --reason tidy --yes --json');
    expect(exit).toBe(0);
    expect(json).toMatchObject({ ok: true, released: ['gone'], failed: [] });
    expect(state().get('switch#gone')).toMatchObject({ position: { S: 'PRIMARY' }, epoch: { N: '3' } });
    expect(state().get('switch#orders')).toMatchObject({ position: { S: 'STANDBY' }, epoch: { N: '4' } });
    expect([...state().values()].filter(({ pk }) => pk?.S === 'epoch')).toEqual([]);
    expect(journal()).toMatchObject([
      { what: { S: 'failback --removed' }, why: { S: expect.stringMatching(/^tidy \[forced although/) } },
    ]);
    expect(aws.started.size).toBe(0);
    const again = await shell.run('failback --removed --force --reason tidy --yes');
    expect(again.out).toMatch(/no removed cell has left/);
  });

  test('is refused as any failback is, and with names beside it', async () => {
    standby('gone', '3');
    expect((await shell.run('failback --removed --reason tidy --yes')).exit).toBe(3);
    expect((await shell.run('failback --removed --all --reason tidy --yes')).exit).toBe(2);
    expect(state().get('switch#gone')).toMatchObject({ position: { S: 'STANDBY' } });
  });
});

test('drained marks the cells that were named, under the newest epoch, and not those that share their switch', async () => {
  const cells = configInput.cells.map((cell) => ({ ...cell, group: 'both' }));
  await writeFile(join(shell.directory, 'spillway.config.json'), JSON.stringify({ ...configInput, cells }));
  await shell.run('failover --all --direct --force --reason go --yes');
  expect((await shell.run('drained --cells orders --reason read --yes')).exit).toBe(0);
  expect(state().get('drained#orders')).toMatchObject({ epoch: { N: '1' } });
  expect(state().get('drained#clicks')).toBeUndefined();
});

test('history shows the journal, newest first', async () => {
  await shell.run('pause --reason one --yes --owner ana', { nowMs: () => 1_000 });
  await shell.run('ack --reason two --yes --owner ben', { nowMs: () => 2_000 });
  const { json } = await shell.run('history --json');
  expect(json).toMatchObject({
    entries: [
      { what: 'ack', why: 'two' },
      { what: 'pause', who: `ana (${identity})` },
    ],
  });
  expect((await shell.run('history')).out).toMatch(
    /1970-01-01 00:00:02 +ack +ben \(assumed-role\/oncall\/ana\) +two/,
  );
  await shell.run('ack --reason three --yes', { nowMs: () => 3_000 });
  expect((await shell.run('history')).out).toMatch(/ack +assumed-role\/oncall\/ana +three/);
});

test('history --would shows what the mode has held back, newest first, and changes nothing', async () => {
  const would = (sinceMs: number, scope: string, cells: readonly string[]) => {
    const { pk, sk } = wouldKey({ sinceMs, scope });
    state().set(`${pk}#${sk}`, {
      pk: { S: pk },
      sk: { S: sk },
      sinceMs: { N: String(sinceMs) },
      scope: { S: scope },
      cells: { L: cells.map((S) => ({ S })) },
      reason: { S: 'orders: us-west-2 (impaired: 6 of 6 records were not taken lately)' },
      who: { S: 'observer us-west-2' },
    });
  };
  expect((await shell.run('history --would')).out).toBe('The mode has held no move back.');
  would(1_000, 'region', []);
  would(2_000, 'orders', ['orders']);
  const { exit, json } = await shell.run('history --would --json');
  expect(exit).toBe(0);
  expect(json).toMatchObject({
    ok: true,
    would: [
      { since: '1970-01-01T00:00:02.000Z', scope: 'orders', cells: ['orders'] },
      { since: '1970-01-01T00:00:01.000Z', scope: 'region', cells: [] },
    ],
  });
  expect((await shell.run('history --would --limit 1 --json')).json).toMatchObject({
    would: [{ scope: 'orders' }],
  });
  const { out } = await shell.run('history --would');
  expect(out).toMatch(/1970-01-01 00:00:02 +orders +orders +observer us-west-2/);
  expect(out).toMatch(/1970-01-01 00:00:01 +the region +every cell/);
  expect(aws.calls.map(({ operation }) => operation)).toEqual(Array(4).fill('Query'));
});
