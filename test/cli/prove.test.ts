import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { serializeMemory } from '../../lambda/core/memory.ts';
import { assumptions } from '../../lib/assumptions/assumptions.ts';
import { experimentNames } from '../../lib/assumptions/experiments.ts';
import { proveRights } from '../../lib/permissions/prove.ts';
import { type SignalDns, startSignalDns } from '../localstack/fixtures/signal-dns.ts';
import { type FakeAws, startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';
import { configInput, MINUTE_MS, report } from '../operate/fixtures/readings.ts';
import { type Shell, startShell } from './fixtures/cli.ts';

const cells = [...configInput.cells, { name: 'drill', stream: { name: 'rehearsal', existing: true } }];
let aws: FakeAws;
let dns: SignalDns;
let shell: Shell;

beforeEach(async () => {
  aws = await startFakeAws();
  dns = await startSignalDns('us-east-1');
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
  dns.close();
  await aws.close();
});

const prove = (flags: string) => shell.run(`prove --config drilling.json --dns ${dns.address} ${flags}`);
const state = () => tableOf(aws, 'us-west-2/shop-state');
const journal = () => [...state().values()].filter(({ pk }) => pk?.S === 'journal');

interface Row {
  readonly id: string;
  readonly verdict: string;
  readonly reason?: string;
  readonly local?: { readonly verdict: string };
}
const rowsOf = (json: unknown): readonly Row[] => (json as { rows: readonly Row[] }).rows;

/** Every observer has voted this a moment ago, and has seen the primary healthy for long. */
function observers(vote = 'HOLD'): void {
  const nowMs = Date.now();
  for (const region of ['us-west-2', 'us-east-2', 'eu-west-1']) {
    tableOf(aws, `${region}/shop-vote`).set('observer#undefined', {
      pk: { S: 'observer' },
      vote: { S: vote },
      diagnosis: { S: 'Healthy' },
      phase: { S: 'steady' },
      comment: { S: 'the primary is healthy' },
      decidedAtMs: { N: String(nowMs - 1_000) },
      expiresAtMs: { N: String(nowMs + 29_000) },
      voteSinceMs: { N: '1' },
      healthySinceMs: { N: String(nowMs - 60 * MINUTE_MS) },
      epoch: { N: '1' },
      refusals: { L: [] },
      memory: { S: serializeMemory(report().memory) },
    });
  }
}

describe('a dry run', () => {
  interface Call {
    readonly operation: string;
    readonly parameters: Readonly<Record<string, unknown>>;
  }
  test('tells every call and makes none; what it would create is its own, and it would delete all of it', async () => {
    const { exit, json } = await prove('--reason test --dry-run --json');
    expect(exit).toBe(0);
    expect(aws.calls).toEqual([]);
    const { calls } = json as { calls: readonly Call[] };
    const of = (operation: string) => calls.filter((call) => call.operation === operation);
    expect(of('CreateHealthCheck')).toMatchObject([
      {
        parameters: {
          CallerReference: expect.stringMatching(/^shop-prove-\d{13}-[0-9a-f]{8}$/),
          HealthCheckConfig: { Type: 'HTTPS_STR_MATCH', Inverted: true, EnableSNI: true },
        },
      },
    ]);
    expect(of('ChangeTagsForResource')).toMatchObject([
      { parameters: { AddTags: [{ Key: 'Name', Value: 'shop prove' }] } },
    ]);
    expect(of('DeleteHealthCheck')).toHaveLength(1);
    const changes = of('ChangeResourceRecordSets').flatMap(
      ({ parameters }) =>
        (parameters.ChangeBatch as { Changes: { Action: string; ResourceRecordSet: { Name: string } }[] })
          .Changes,
    );
    const named = (action: string) =>
      changes.flatMap(({ Action, ResourceRecordSet }) => (Action === action ? [ResourceRecordSet.Name] : []));
    const own = 'prove-shop.shop.example.com.';
    expect(named('CREATE')).toEqual([`primary.${own}`, own, own]);
    expect(named('DELETE')).toEqual(named('CREATE'));
    expect(changes).toHaveLength(6);
    // The move is that of the drill cell alone.
    const groups = of('StartExecution').map(({ parameters }) => JSON.parse(String(parameters.input)).groups);
    expect(groups).toEqual([['drill'], ['drill']]);
    expect(of('PutRecord').map(({ parameters }) => parameters.StreamName)).toEqual([
      'shop-canary',
      'shop-canary',
    ]);
  });

  test('of one statement makes the calls of its experiment alone', async () => {
    const { json } = await prove('--reason test --dry-run --only scan-from-absent-key --json');
    const { calls } = json as { calls: readonly Call[] };
    expect(calls.map(({ operation }) => operation)).toEqual(['GetCallerIdentity', 'Scan', 'PutItem']);
  });
});

/** What whoever may use `status` may do, and who asks the guards does. */
const rightsOfStatus = ['dynamodb:GetItem', 'dynamodb:Query', 'sts:GetCallerIdentity'];
/** The journal. */
const rightsOfDrill = ['dynamodb:PutItem'];
const prefixes: Readonly<Record<string, string>> = { cloudwatchlogs: 'logs' };

test.each(experimentNames.filter((name) => name !== 'move' && name !== 'resolver'))(
  'the experiment %s calls what its rights allow, and needs each of them',
  async (name) => {
    const ids = assumptions.flatMap(({ id, proof }) =>
      'experiment' in proof && proof.experiment === name ? [id] : [],
    );
    const { json } = await prove(`--reason test --dry-run --json --only ${ids.join(',')}`);
    const { calls } = json as { calls: readonly { service: string; operation: string }[] };
    const called = new Set(
      calls.map(({ service, operation }) => `${prefixes[service] ?? service}:${operation}`),
    );
    const own = proveRights.filter((right) => right.experiments.includes(name));
    const rights = new Set(own.flatMap(({ actions }) => actions));
    expect([...rights].filter((right) => !called.has(right))).toEqual([]);
    const others = new Set([...rights, ...rightsOfStatus, ...rightsOfDrill]);
    expect([...called].filter((action) => !others.has(action))).toEqual([]);
  },
);

describe('a run', () => {
  test('is refused with 3 while an observer votes EVACUATE, or is silent, and creates nothing', async () => {
    observers('EVACUATE');
    const { exit, json } = await prove('--reason test --yes --json');
    expect(exit).toBe(3);
    const { error } = json as { error: { message: string; refusals: { rule: string }[] } };
    expect(error.refusals.map(({ rule }) => rule)).toContain('votes');
    expect(error.message).toMatch(/Nothing was created or moved/);
    const operations = new Set(aws.calls.map(({ operation }) => operation));
    expect([...operations].toSorted()).toEqual(['GetCallerIdentity', 'GetItem', 'Query']);
    tableOf(aws, 'eu-west-1/shop-vote').clear();
    expect((await prove('--reason test --yes')).err).toMatch(/nothing is heard from eu-west-1/);
    expect(journal()).toEqual([]);
  });

  test.each([
    ['maintenance', { owner: 'bo', reason: 'sale', fromMs: 1, untilMs: 4_000_000_000_000 }],
    ['pause', { owner: 'bo', reason: 'sale', untilMs: 4_000_000_000_000 }],
  ])('is refused during %s', async (kind, override) => {
    observers();
    const item = Object.fromEntries(
      Object.entries(override).map(([key, value]) => [
        key,
        typeof value === 'number' ? { N: String(value) } : { S: value },
      ]),
    );
    state().set('control#control', {
      pk: { S: 'control' },
      sk: { S: 'control' },
      revision: { N: '1' },
      [kind]: { M: item },
    });
    const { exit, json } = await prove('--reason test --yes --json --only scan-from-absent-key');
    expect(exit).toBe(3);
    expect(json).toMatchObject({ error: { refusals: [{ rule: kind }] } });
  });

  test('that confirms ends with 0, and is in the journal', async () => {
    observers();
    const { exit, json, err } = await prove(
      '--reason launch --owner ana --yes --json --only scan-from-absent-key,kinesis-cellular',
    );
    expect(err).toMatch(/together at most 1 min and \$0\.01; by ana/);
    expect(json).toMatchObject({
      ok: true,
      where: 'aws',
      endpoint: aws.url,
      counts: { confirmed: 1, refuted: 0, notRun: 1 },
      journaled: true,
    });
    expect(rowsOf(json).map(({ id, verdict }) => [id, verdict])).toEqual([
      ['kinesis-cellular', 'not-run'],
      ['scan-from-absent-key', 'confirmed'],
    ]);
    expect(exit).toBe(0);
    expect(journal()).toMatchObject([
      {
        what: { S: 'prove' },
        who: { S: expect.stringMatching(/^ana/) },
        why: { S: '1 confirmed, 0 refuted, 1 not run; launch' },
      },
    ]);
  });

  test('that refutes ends with 4, and says what AWS said', async () => {
    observers();
    aws.refuse = ({ operation }) =>
      operation === 'Scan'
        ? { code: 'ValidationException', message: 'The provided key is wrong' }
        : undefined;
    const { exit, out } = await prove('--reason launch --yes --only scan-from-absent-key');
    expect(exit).toBe(4);
    expect(out).toMatch(/✗ scan-from-absent-key: A Scan may begin[\s\S]*The provided key is wrong/);
    expect(out).toMatch(/answers of http:\/\/127\.0\.0\.1:\d+ \(AWS_ENDPOINT_URL\)/);
  });

  test('that may not make a call says which, and ends with 0', async () => {
    observers();
    const message =
      'User: arn:aws:iam::1:user/ana is not authorized to perform: dynamodb:Scan on resource: x';
    aws.refuse = ({ operation }) =>
      operation === 'Scan' ? { code: 'AccessDeniedException', message } : undefined;
    const { exit, json } = await prove('--reason launch --yes --json --only scan-from-absent-key');
    expect(exit).toBe(0);
    expect(rowsOf(json)).toMatchObject([
      { verdict: 'not-run', reason: expect.stringMatching(/dynamodb:Scan/) },
    ]);
  });
});

describe('wrong usage', () => {
  test.each([
    ['without a reason', '--yes', /--reason/],
    ['without consent', '--reason test', /--yes/],
    [
      'of a statement that is none',
      '--reason test --yes --only propagation,nonsense',
      /no statement nonsense/,
    ],
  ])('%s', async (_what, flags, message) => {
    const { exit, err } = await prove(flags);
    expect(exit).toBe(2);
    expect(err).toMatch(message);
    expect(journal()).toEqual([]);
  });

  test('without a cell for drills says what to add', async () => {
    const { exit, err } = await shell.run('prove --reason test --yes');
    expect(exit).toBe(2);
    expect(err).toMatch(/names no cell for drills: add one without traffic, with drill: \{ cell/);
  });

  test('with a pinned producer, which would not follow the move', async () => {
    observers();
    const env = { SPILLWAY_REGION: 'us-east-1' };
    const line = `prove --config drilling.json --dns ${dns.address} --reason test --yes`;
    expect(await shell.run(line, { env })).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/SPILLWAY_REGION is set/),
    });
  });
});

describe('a local world', () => {
  test('that is not running has nothing to be cleaned: wrong usage, in one document', async () => {
    const { exit, out } = await shell.run('prove --local --clean --json');
    expect(exit).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      exit: 2,
      error: { name: 'UsageError', message: expect.stringMatching(/spillway drill --keep/) },
    });
  });

  test('needs neither reason nor consent nor a drill cell, runs to the end, and confirms nothing', async () => {
    const facts = { localStackUrl: aws.url, dnsServer: dns.address, zone: { id: 'Z1', name: 'example.com' } };
    await writeFile(join(shell.directory, 'world.json'), JSON.stringify(facts));
    const { exit, json } = await shell.run(
      'prove --world world.json --only scan-from-absent-key,propagation --json',
    );
    expect(exit).toBe(0);
    expect(json).toMatchObject({ ok: true, where: 'local', counts: { confirmed: 0, refuted: 0, notRun: 2 } });
    for (const { reason } of rowsOf(json)) expect(reason).toMatch(/^LocalStack/);
    expect(rowsOf(json).map(({ local }) => local?.verdict)).toEqual([undefined, 'confirmed']);
    const { out } = await shell.run('prove --world world.json --only scan-from-absent-key');
    expect(out).toMatch(/· scan-from-absent-key[\s\S]*LocalStack[\s\S]*there: confirmed/);
  });
});
