import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stateTableName } from '../../lambda/core/names.ts';
import type { Call } from '../../lib/aws/call-log.ts';
import { type CallTarget, targetOf } from '../../lib/aws/call-target.ts';
import type { ConsumerInput } from '../../lib/config/consumers-schema.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { parseCalls } from '../../lib/operate/audit.ts';
import { AwsClients } from '../../lib/operate/clients.ts';
import { checks } from '../../lib/operate/doctor/doctor.ts';
import {
  type OperatorVerb,
  operatorRights,
  operatorVerbs,
  rightsOfVerbs,
  type VerbRight,
} from '../../lib/permissions/operator.ts';
import { requirementsOf } from '../../lib/permissions/requirements.ts';
import { type FakeAws, startFakeAws, tableOf } from '../operate/fixtures/fake-aws.ts';
import { configInput } from '../operate/fixtures/readings.ts';
import { type AskedCall, askedOf, inWords, isAbout } from '../permissions/recorded.ts';
import { type Shell, startShell } from './fixtures/cli.ts';
import { startCloud } from './fixtures/cloud.ts';

// What the commands really call, against the table that `spillway policy operator` is made from.

const account = '123456789012';
const input = {
  ...configInput,
  cells: [...configInput.cells, { name: 'drill', stream: { name: 'rehearsal', existing: true } }],
  drill: { cell: 'drill' },
};
const config = parseConfig(input, 'test');
const where = { config, account, region: config.regions.standby };
/** Nobody listens there: a question ends at once. */
const dns = '--dns 127.0.0.1:9';
const go = '--reason go --yes';

let aws: FakeAws;
let shell: Shell;
beforeEach(async () => {
  aws = await startFakeAws();
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  shell = await startShell();
  await writeFile(join(shell.directory, 'spillway.config.json'), JSON.stringify(input));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await shell.close();
  await aws.close();
});

const used = new Map<VerbRight, Set<string>>();
/** Every call needs a right of this verb. @returns the calls that have none */
function unforeseen(
  verb: OperatorVerb,
  calls: readonly {
    readonly service: string;
    readonly operation: string;
    readonly region: string;
    readonly parameters?: unknown;
  }[],
  at = where,
): readonly string[] {
  const rights = rightsOfVerbs([verb]).map((right) => [right, requirementsOf([right], at)] as const);
  return calls.flatMap((call) => {
    const one = askedOf(call, account);
    if (one === undefined) return [];
    return changesIn(call).flatMap((bounds) =>
      unforeseenCall({ ...one, bounds: { ...one.bounds, ...bounds } }),
    );
  });
  function unforeseenCall(asked: AskedCall): readonly string[] {
    const needed = rights.filter(([, requirements]) => requirements.some((one) => isAbout(one, asked)));
    for (const [right] of needed) used.set(right, (used.get(right) ?? new Set()).add(asked.action));
    return needed.length === 0 ? [inWords(asked)] : [];
  }
}

interface Changes {
  readonly ChangeBatch?: {
    readonly Changes: readonly {
      readonly Action: string;
      readonly ResourceRecordSet: { readonly Name: string; readonly Type: string };
    }[];
  };
}
/** Each record that a call would change, as Route 53 names it to IAM; of another call one without bounds. */
function changesIn(call: { readonly parameters?: unknown }): readonly AskedCall['bounds'][] {
  const { ChangeBatch } = (call.parameters ?? {}) as Changes;
  if (ChangeBatch === undefined) return [{}];
  return ChangeBatch.Changes.map(({ Action, ResourceRecordSet: { Name, Type } }) => ({
    recordName: Name.replace(/\.$/, ''),
    recordType: Type,
    recordChange: Action,
  }));
}

/** What calls are about, in any order. */
const about = (calls: readonly (Pick<Call, 'operation'> & CallTarget)[]) =>
  calls.map(({ operation, resource, partition }) => `${operation} ${resource} ${partition}`).toSorted();

function switchOf(group: string): void {
  tableOf(aws, 'us-west-2/shop-state').set(`switch#${group}`, {
    pk: { S: 'switch' },
    sk: { S: group },
    position: { S: 'STANDBY' },
    epoch: { N: '3' },
    owner: { S: 'ana' },
    reason: { S: 'inc-4711' },
    atMs: { N: '1' },
  });
}

interface Line {
  readonly verb: OperatorVerb;
  readonly line: string;
  readonly before?: () => void;
}
const lines = (
  [
    ['status', `status ${dns}`],
    ['why', `why ${dns}`],
    ['why', `why --at 20m ${dns}`],
    ['history', 'history'],
    ['history', 'history --would'],
    ['failover', `failover --all --force ${go} ${dns}`],
    ['failover', `failover --all --direct --force ${go} ${dns}`],
    ['failback', `failback --all --force ${go} ${dns}`, () => ['orders', 'clicks'].map(switchOf)],
    ['failback', `failback --removed --force ${go} ${dns}`, () => switchOf('removed')],
    ['approve', `approve ${go}`],
    ['pause', `pause ${go}`],
    ['maintenance', `maintenance ${go}`],
    [
      'resume',
      `resume ${go}`,
      () =>
        tableOf(aws, 'us-west-2/shop-state').set('control#control', {
          pk: { S: 'control' },
          sk: { S: 'control' },
          revision: { N: '1' },
          pause: {
            M: { owner: { S: 'ana' }, reason: { S: 'x' }, untilMs: { N: String(Date.now() + 60_000) } },
          },
        }),
    ],
    ['ack', `ack ${go}`],
    ['drained', `drained --all ${go}`],
    ['consumers', 'consumers'],
    ['stranded', 'stranded --cells orders', () => aws.resources.add('us-east-1/orders')],
    ['drill', `drill --aws --schedule off ${go}`, () => aws.rules.set('us-west-2/shop-drill', 'ENABLED')],
    ['drill', `drill --aws --schedule weekly ${go}`, () => aws.rules.set('us-west-2/shop-drill', 'DISABLED')],
    ['drill', `drill --aws ${go} ${dns}`],
  ] as const satisfies readonly (readonly [OperatorVerb, string, (() => unknown)?])[]
).map(([verb, line, before]): Line => ({ verb, line, ...(before === undefined ? {} : { before }) }));

describe('a command calls what the table says, and nothing else', () => {
  test.each(lines)('spillway $line', async ({ verb, line, before }) => {
    before?.();
    const log = join(shell.directory, 'calls.jsonl');
    await shell.run(line, { env: { SPILLWAY_CALL_LOG: log } });
    expect(aws.calls.length).toBeGreaterThan(0);
    expect(unforeseen(verb, aws.calls)).toEqual([]);
    // What the command writes down itself says the same of each call.
    const written = parseCalls(await readFile(log, 'utf8'), log);
    expect(unforeseen(verb, written)).toEqual([]);
    expect(written.map(({ who }) => who)).toEqual(written.map(() => `cli ${verb}`));
    expect(about(written)).toEqual(about(aws.calls));
  });

  test('a drill that is carried out', async () => {
    const { json } = await shell.run(`drill --aws --reason go --dry-run --json ${dns}`);
    const { calls } = json as {
      calls: { service: string; operation: string; region: string; parameters: unknown }[];
    };
    const made = calls.map(({ parameters, ...call }) => ({
      ...call,
      ...targetOf(call.service, parameters),
    }));
    expect(unforeseen('drill', made)).toEqual([]);
  });

  test('consumers of every kind', async () => {
    const named = [
      { kind: 'lambda', function: 'indexer' },
      {
        kind: 'lambda',
        function: {
          primary: `arn:aws:lambda:us-east-1:${account}:function:shared:live`,
          standby: `arn:aws:lambda:us-west-2:${account}:function:shared:live`,
        },
      },
      { kind: 'kcl', leaseTable: 'orders-app' },
      { kind: 'enhancedFanOut', name: 'fan' },
      { kind: 'firehose', name: 'orders-to-s3' },
      { kind: 'other', name: 'vendor', alarm: 'vendor-late' },
    ] satisfies ConsumerInput[];
    const [orders, ...others] = input.cells;
    const some = { ...input, cells: [{ ...orders, consumers: named }, ...others] } as typeof input;
    await writeFile(join(shell.directory, 'named.json'), JSON.stringify(some));
    aws.resources.add('us-west-2/orders-app');
    const log = join(shell.directory, 'calls.jsonl');
    await shell.run('consumers --config named.json', { env: { SPILLWAY_CALL_LOG: log } });
    const written = parseCalls(await readFile(log, 'utf8'), log);
    const made = new Set(written.map(({ operation }) => operation));
    for (const operation of [
      'GetFunctionConcurrency',
      'DescribeTable',
      'Scan',
      'DescribeStreamConsumer',
      'DescribeDeliveryStream',
      'DescribeAlarms',
    ])
      expect(made).toContain(operation);
    const at = { ...where, config: parseConfig(some, 'test') };
    expect(unforeseen('consumers', written, at)).toEqual([]);
  });

  test('what is stranded behind leases', async () => {
    for (const name of ['orders', 'orders-app']) aws.resources.add(`us-east-1/${name}`);
    const consumers = [
      { kind: 'kcl', leaseTable: 'orders-app' },
      { kind: 'lambda', function: 'indexer' },
    ] satisfies ConsumerInput[];
    const [orders, ...others] = input.cells;
    const some = { ...input, cells: [{ ...orders, consumers }, ...others] } as typeof input;
    await writeFile(join(shell.directory, 'named.json'), JSON.stringify(some));
    await shell.run('stranded --cells orders --config named.json');
    const made = aws.calls.map(({ operation }) => operation);
    for (const operation of ['DescribeTable', 'Scan', 'GetMetricData']) expect(made).toContain(operation);
    const at = { ...where, config: parseConfig(some, 'test') };
    expect(unforeseen('stranded', aws.calls, at)).toEqual([]);
  });

  test('experiments that are carried out', async () => {
    const { json } = await shell.run(`prove --reason go --dry-run --json ${dns}`);
    const { calls } = json as { calls: (Call & { parameters: unknown })[] };
    expect(calls.map(({ operation }) => operation)).toContain('ChangeResourceRecordSets');
    const made = calls.map((call) => ({ ...call, ...targetOf(call.service, call.parameters) }));
    expect(unforeseen('prove', made)).toEqual([]);
  });

  test('a deployment that is planned', async () => {
    const cloud = await startCloud(aws, shell.directory);
    const planned = () => shell.run(`deploy --dry-run ${dns}`, { env: { PATH: process.env.PATH } });
    await cloud.make(input);
    // A first deployment looks whether what it creates is there already.
    await planned();
    await cloud.settle();
    const cells = [...input.cells, { name: 'visits', stream: 'visits' }];
    await cloud.make({ ...input, cells });
    await writeFile(join(shell.directory, 'spillway.config.json'), JSON.stringify({ ...input, cells }));
    await planned();
    await cloud.close();
    expect(aws.calls.length).toBeGreaterThan(0);
    const grown = { ...where, config: parseConfig({ ...input, cells }, 'test') };
    expect(unforeseen('deploy', aws.calls, grown)).toEqual([]);
  }, 60_000);

  test('doctor, check by check', async () => {
    // In trouble: doctor then asks for the present URL.
    const dead = {
      host: { S: 'gone.lambda-url.invalid' },
      path: { S: '/vote' },
      checkId: { S: 'c' },
      atMs: { N: '1' },
    };
    const { name, regions } = config;
    tableOf(aws, `${regions.standby}/${stateTableName(name)}`).set(`endpoints#vote#${regions.standby}`, {
      ...{ pk: { S: 'endpoints' }, sk: { S: `vote#${regions.standby}` } },
      ...dead,
    });
    const clients = new AwsClients({ who: 'cli doctor', timeoutMs: 2_000, endpoint: aws.url });
    const context = {
      config,
      clients,
      local: false,
      nowMs: Date.now(),
      now: Date.now,
      dnsServers: ['127.0.0.1:9'],
    };
    // It watches the resolvers of this machine for seconds, and calls nobody.
    for (const { run } of checks.filter(({ check }) => check !== 'resolvers')) {
      await run(context).catch(() => undefined);
    }
    clients.destroy();
    expect(unforeseen('doctor', aws.calls)).toEqual([]);
  });
});

/** Rights whose calls are seen elsewhere. */
const elsewhere: readonly OperatorVerb[] = ['drain'];
const later = [
  'iam:SimulatePrincipalPolicy',
  'kinesis:ListShards',
  'kinesis:GetShardIterator',
  'kinesis:GetRecords',
];

afterAll(() => {
  // What no command has called is a right too many; a drill's reading of streams is seen in test/live-drill, drain in test/drain.
  const unused = operatorRights
    .filter(({ verbs, when }) => !verbs.every((verb) => elsewhere.includes(verb)) && when?.(where) !== false)
    .flatMap((right) =>
      right.actions.filter((action) => !later.includes(action) && !used.get(right)?.has(action)),
    );
  expect(unused).toEqual([]);
});

test('the table is about verbs that there are', () => {
  expect(
    operatorRights.flatMap(({ verbs }) => verbs).filter((verb) => !operatorVerbs.includes(verb)),
  ).toEqual([]);
  for (const verb of operatorVerbs) expect(rightsOfVerbs([verb]).length, verb).toBeGreaterThan(0);
});
