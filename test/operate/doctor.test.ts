import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { encode } from 'dns-packet';
import { createColors } from 'picocolors';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { EndpointFinding, EndpointFindingName } from '../../lambda/core/endpoint-findings.ts';
import { endpointItem } from '../../lambda/core/endpoint-items.ts';
import type { Mode } from '../../lambda/core/policy.ts';
import type { ErrorClass } from '../../lambda/core/probe.ts';
import type { Role } from '../../lambda/core/role.ts';
import { addStreamRound, noStream } from '../../lambda/core/stream-evidence.ts';
import { noStreamsSeen } from '../../lambda/core/streams.ts';
import { doctorScreen } from '../../lib/cli/doctor.ts';
import type { Cell } from '../../lib/config/config.ts';
import { AwsClients } from '../../lib/operate/clients.ts';
import { cellConfigFindings, refusedFindings } from '../../lib/operate/doctor/cells-alone.ts';
import { concurrencyFinding } from '../../lib/operate/doctor/concurrency.ts';
import { checks, examine } from '../../lib/operate/doctor/doctor.ts';
import { endpointResults, endpoints } from '../../lib/operate/doctor/endpoints.ts';
import { hiddenFindings, hiddenNames } from '../../lib/operate/doctor/hidden-names.ts';
import { leftover } from '../../lib/operate/doctor/leftover.ts';
import { topicFinding } from '../../lib/operate/doctor/listening.ts';
import { policyFindings } from '../../lib/operate/doctor/policy.ts';
import { probeFindings } from '../../lib/operate/doctor/probes.ts';
import { quotaFinding } from '../../lib/operate/doctor/quota.ts';
import { canaryFindings, cellFindings, type StreamFacts } from '../../lib/operate/doctor/streams.ts';
import { findingsFrom } from '../../lib/operate/doctor/unchecked.ts';
import { type Deployed, versionFindings } from '../../lib/operate/doctor/versions.ts';
import { delegationFinding, referralFrom } from '../../lib/operate/doctor/zone.ts';
import type { ObserverReport } from '../../lib/operate/observers.ts';
import { startDnsServer } from '../../lib/route53/dns-server.ts';
import { startFakeAws, tableOf } from './fixtures/fake-aws.ts';
import { config, NOW_MS, read, report } from './fixtures/readings.ts';

afterEach(() => vi.unstubAllEnvs());

const facts: StreamFacts = {
  status: 'ACTIVE',
  shards: 4,
  mode: 'PROVISIONED',
  retentionHours: 168,
  recordKib: 1_024,
  distribution: 'byKey',
};
const cell = (primary: StreamFacts | string, standby: StreamFacts | string) =>
  cellFindings({ cell: 'orders', regions: config.regions, primary, standby });

describe('names below another zone', () => {
  const look = async (delegated: string) => {
    const server = await startDnsServer({
      answerer: ({ name, type }) =>
        type === 'NS' && name === delegated
          ? { rcode: 'NOERROR', records: [{ name, type: 'NS', ttlSeconds: 60, values: ['ns.example.net'] }] }
          : { rcode: 'NXDOMAIN', records: [] },
    });
    const clients = new AwsClients({ who: 'cli doctor', timeoutMs: 1_000 });
    const context = {
      config,
      clients,
      dnsServers: [server.address],
      local: false,
      nowMs: NOW_MS,
      now: () => NOW_MS,
    };
    const found = await hiddenNames.run(context);
    await server.close();
    return found;
  };

  test.each([
    ['clicks.shop.example.com', 'signal.clicks.shop.example.com'],
    ['shop.shop.example.com', 'region.shop.shop.example.com'],
  ])('%s hides %s', async (below, record) => {
    expect(await look(below)).toMatchObject([
      { ok: false, finding: expect.stringContaining(`${record} (${below})`) },
    ]);
  });

  test('are not among those that nobody delegates', async () => {
    expect(await look('other.shop.example.com')).toMatchObject([{ ok: true }]);
  });

  test('of thousands are named by the first few', () => {
    const hidden = Array.from({ length: 9 }, (_, n) => ({ record: `signal.c${n}.z`, below: `c${n}.z` }));
    expect(hiddenFindings(hidden, 9)[0]?.finding).toMatch(/signal\.c4\.z \(c4\.z\), and 4 more$/);
  });
});

describe('cells that move alone', () => {
  const cells = (...changes: readonly Partial<Cell>[]) =>
    changes.map((change, n) => ({ ...(config.cells[0] as Cell), name: `c${n}`, group: `c${n}`, ...change }));
  const found = (policyMode: Mode, ...changes: readonly Partial<Cell>[]) =>
    cellConfigFindings({ cells: cells(...changes), policy: { ...config.policy, mode: policyMode } });

  test('a mode above the policy’s has no effect, and is told; one below it is well', () => {
    expect(found('approve', { mode: 'auto' }, { mode: 'observe' }, {})).toMatchObject([
      { ok: false, finding: expect.stringMatching(/^c0 \(auto\): .* which is approve,.* no effect/) },
    ]);
    expect(found('auto', { mode: 'auto' }, { mode: 'approve' }, {})).toEqual([]);
  });

  test('a group whose cells are not probed alike is told, with what that does', () => {
    const group = 'shop';
    expect(found('auto', { group, probe: 'always' }, { group, probe: 'always' }, { probe: 'never' })).toEqual(
      [],
    );
    expect(found('auto', { group, probe: 'always' }, { group, probe: 'never' })).toMatchObject([
      { finding: expect.stringMatching(/^the cells of shop .*always: c0; never: c1.* half of its 2 cells/) },
    ]);
    const never = { group, probe: 'never' } as const;
    expect(found('auto', { group, probe: 'always' }, never, never)[0]?.finding).toMatch(
      /more than half of them are never probed$/,
    );
  });

  const refusing = (errorClass: ErrorClass, role: Role = 'primary', change: Partial<ObserverReport> = {}) => {
    const own = report(change);
    let evidence = noStream;
    for (let n = 0; n < 3; n++) {
      const refused = [{ ok: false, latencyMs: 20, errorClass, detail: '' } as const];
      const outcomes = { cell: 'orders', primary: [], standby: [], [role]: refused };
      evidence = addStreamRound(evidence, { outcomes, atMs: NOW_MS }, config.policy);
    }
    const streams = { cells: { orders: evidence }, seen: noStreamsSeen, atMs: NOW_MS };
    return { ...own, memory: { ...own.memory, evidence: { ...own.memory.evidence, streams } } };
  };
  const refused = (...reports: readonly ObserverReport[]) =>
    refusedFindings(config, new Map(reports.map((own, n) => [`observer-${n}`, read(own)])));

  test.each<[ErrorClass, RegExp]>([
    ['access', /kinesis:PutRecord .* kms:GenerateDataKey/],
    ['missing', /Create the stream/],
    ['unclassified', /Read the log/],
  ])('a stream that refuses the observers by %s is told once, with its fix', (errorClass, fix) => {
    expect(refused(refusing(errorClass), refusing(errorClass))).toMatchObject([
      {
        ok: false,
        finding: expect.stringMatching(/^orders: the stream in us-east-1 .* observer-0, observer-1;/),
        fix: expect.stringMatching(fix),
      },
    ]);
  });

  test('a stream of the standby that refuses them is told with its region', () => {
    expect(refused(refusing('access', 'standby'))[0]?.finding).toMatch(/stream in us-west-2/);
  });

  test('an outage is no refusal, and what an observer said long ago counts for nothing', () => {
    expect(refused(refusing('server'))).toEqual([]);
    expect(refused(refusing('access', 'primary', { fresh: false }))).toEqual([]);
  });
});

describe('streams', () => {
  test('that match are well', () => {
    expect(cell(facts, facts)).toEqual([]);
    expect(cell(facts, { ...facts, recordKib: 2_048, retentionHours: 200 })).toEqual([]);
  });

  test('a canary with fewer shards than it is to have is told, with the commands that add them', () => {
    const canary = (role: 'primary' | 'standby', shards: number) =>
      canaryFindings({
        role,
        region: config.regions[role],
        name: 'shop-canary',
        facts: { shards, distribution: 'byKey' },
      });
    expect([...canary('primary', 4), ...canary('standby', 2)]).toEqual([]);
    expect(canary('primary', 1)).toMatchObject([
      {
        finding: expect.stringMatching(/shop-canary in us-east-1 has 1 of 4 shards/),
        fix: expect.stringMatching(/update-stream-mode to PROVISIONED, .* 2 and then 4, .*ON_DEMAND/),
      },
    ]);
    expect(canary('standby', 1)).toMatchObject([
      { fix: expect.stringMatching(/--region us-west-2 .*--target-shard-count 2$/) },
    ]);
  });

  test('a standby that takes smaller records, or keeps them shorter, is told with the command that mends it', () => {
    const found = cell({ ...facts, recordKib: 10_240 }, { ...facts, retentionHours: 24 });
    expect(found.map(({ ok }) => ok)).toEqual([false, false]);
    expect(found[0]?.fix).toMatch(
      /update-max-record-size --region us-west-2 --max-record-size-in-ki-b 10240/,
    );
    expect(found[1]?.fix).toMatch(
      /increase-stream-retention-period --region us-west-2 --retention-period-hours 168/,
    );
  });

  test('a primary that keeps records for a day only is told: an outage of 17 h leaves little', () => {
    expect(cell({ ...facts, retentionHours: 24 }, facts)).toMatchObject([
      { fix: expect.stringContaining('us-east-1') },
    ]);
  });

  test('a stream that is missing, or not active, is told with its region', () => {
    expect(cell(facts, 'ResourceNotFoundException: orders')[0]?.finding).toMatch(
      /us-west-2.*ResourceNotFound/,
    );
    expect(cell({ ...facts, status: 'CREATING' }, facts)[0]?.finding).toMatch(/us-east-1 is CREATING/);
  });
});

describe('lambda concurrency', () => {
  const finding = (change: Partial<Parameters<typeof concurrencyFinding>[0]>) =>
    concurrencyFinding({
      ...{ region: 'us-west-2', planned: 140, present: 0, limit: 1_000, unreserved: 1_000 },
      ...change,
    });

  test('suffices where a hundred executions stay unreserved', () => {
    expect(finding({})).toMatchObject({
      ok: true,
      finding: expect.stringMatching(/140 .* room for 900 of its 1000/),
    });
    expect(finding({ limit: 240, unreserved: 240 }).ok).toBe(true);
    expect(finding({ limit: 239, unreserved: 239 }).ok).toBe(false);
  });

  test('counts what is deployed already as room, and what others reserve not', () => {
    expect(finding({ limit: 300, unreserved: 160, present: 140 }).ok).toBe(true);
    expect(finding({ limit: 1_000, unreserved: 150, present: 60 }).ok).toBe(false);
  });

  test('of a new account is too little, and has to be raised first', () => {
    expect(finding({ limit: 10, unreserved: 10 })).toMatchObject({
      ok: false,
      fix: expect.stringMatching(/Service Quotas.*delivery.switchConcurrency/),
    });
  });
});

describe('endpoints', () => {
  const found = (
    finding: EndpointFindingName,
    of = 'orders',
    change: Partial<EndpointFinding> = {},
  ): EndpointFinding => ({
    kind: 'switch',
    of,
    finding,
    detail: '',
    host: 'abc.lambda-url.us-west-2.on.aws',
    ...change,
  });
  const results = (findings: readonly EndpointFinding[], local = false) =>
    findingsFrom(endpointResults(findings, { local }));

  test('that say what is stored are well, however many', () => {
    expect(results([found('agrees'), found('agrees', 'clicks')])).toMatchObject([
      { ok: true, finding: '2 endpoints answer, and say what is stored' },
    ]);
  });

  test('in trouble are told once for each kind of trouble, with the host and what to do', () => {
    const many = Array.from({ length: 40 }, (_, n) =>
      found('unreadable', `g${n}`, { detail: 'it says PRIMARY unread' }),
    );
    expect(results([found('agrees'), ...many, found('refused', 'clicks', { detail: 'status 403' })])).toEqual(
      [
        {
          check: 'endpoints',
          ok: false,
          finding: expect.stringMatching(
            /^switch g0, .* and 35 more: the table cannot be read.* at abc\.lambda/,
          ),
          fix: expect.stringContaining('aws logs tail'),
        },
        {
          check: 'endpoints',
          ok: false,
          finding: expect.stringMatching(/^switch clicks: answered by .* \(status 403 at abc\.lambda/),
          fix: expect.stringContaining('cdk deploy'),
        },
      ],
    );
  });

  test('of which none can be reached may be the fault of this network, and that is said', () => {
    const [only, ...others] = results([
      found('dead', 'orders', { detail: 'ENOTFOUND' }),
      found('late', 'clicks'),
    ]);
    expect(only).toMatchObject({
      ok: false,
      finding: expect.stringMatching(/^none of 2 .* from here .*ENOTFOUND/),
    });
    expect(others).toEqual([]);
    expect(results([found('dead'), found('agrees', 'clicks')])[0]?.finding).toMatch(
      /^switch orders: no answer/,
    );
  });

  test('that nobody can ask are to be deployed again, but in a local world', () => {
    const missing = [found('missing', 'orders', { host: undefined as never })];
    expect(results(missing)).toMatchObject([{ ok: false, fix: expect.stringContaining('cdk deploy') }]);
    expect(results(missing, true)).toMatchObject([{ ok: true }]);
  });

  test('a check that asks a URL which the function no longer has is told with both', async () => {
    const aws = await startFakeAws();
    const clients = new AwsClients({
      who: 'cli doctor',
      timeoutMs: 1_000,
      endpoint: aws.url,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const host = 'old.lambda-url.eu-west-1.on.aws';
    const item = endpointItem({ kind: 'vote', of: 'eu-west-1', host, path: '/vote', checkId: 'c', atMs: 1 });
    tableOf(aws, 'us-west-2/shop-state').set(
      'endpoints#vote#eu-west-1',
      Object.fromEntries(
        Object.entries(item).map(([key, value]) => [
          key,
          typeof value === 'number' ? { N: String(value) } : { S: value },
        ]),
      ),
    );
    aws.urls.set('eu-west-1/shop-vote', 'https://new.lambda-url.eu-west-1.on.aws/');
    const context = {
      config,
      clients,
      local: true,
      nowMs: NOW_MS,
      now: () => NOW_MS,
      endpointOrigin: new URL(aws.url),
    };
    const all = findingsFrom(await endpoints.run(context));
    expect(all.filter(({ ok }) => !ok).map(({ finding }) => finding)).toEqual([
      expect.stringMatching(/^vote eu-west-1: answered by something .*status 403 at old\.lambda-url/),
      `the health check of vote eu-west-1 asks ${host}, and shop-vote in eu-west-1 is at new.lambda-url.eu-west-1.on.aws`,
    ]);
    // Where all is well, nobody needs the right to ask for URLs.
    aws.answers.set(`${host}/vote`, { text: 'vote=HOLD' });
    aws.calls.length = 0;
    await endpoints.run(context);
    expect(aws.calls.map(({ operation }) => operation)).not.toContain('GetFunctionUrlConfig');
    clients.destroy();
    await aws.close();
  });
});

test('a switch that a removed cell has left in the standby is told, with the command that releases it', async () => {
  const aws = await startFakeAws();
  const clients = new AwsClients({
    who: 'cli doctor',
    timeoutMs: 1_000,
    endpoint: aws.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const look = async () =>
    findingsFrom(await leftover.run({ config, clients, local: false, nowMs: 0, now: () => 0 }));
  const put = (group: string) =>
    tableOf(aws, 'us-west-2/shop-state').set(`switch#${group}`, {
      pk: { S: 'switch' },
      sk: { S: group },
      position: { S: 'STANDBY' },
    });
  put('orders');
  expect(await look()).toMatchObject([{ ok: true }]);
  put('gone');
  const [found] = await look();
  expect(found).toMatchObject({ ok: false, finding: expect.stringMatching(/^gone: not in the config/) });
  expect(found?.fix).toContain('spillway failback --removed');
  clients.destroy();
  await aws.close();
});

test.each([
  [{ used: 10, limit: 200, needed: 6, assumed: 200 }, true],
  [{ used: 10, limit: 5, needed: 6, assumed: 5 }, false],
  [{ used: 10, limit: 50, needed: 6, assumed: 200 }, false],
  [{ used: 190, limit: 200, needed: 6, assumed: 200 }, false],
])('the quota %o is well: %s', (quota, ok) => {
  expect(quotaFinding(quota).ok).toBe(ok);
});

describe('delegation', () => {
  const own = ['ns-1.awsdns.com', 'ns-2.awsdns.net'];

  test('is well when the parent names the same servers, in any order and case', () => {
    expect(delegationFinding('shop.example.com', own, ['NS-2.awsdns.net.', 'ns-1.awsdns.com.']).ok).toBe(
      true,
    );
  });

  test.each([
    [['ns-9.other.com'], /delegates to ns-9.other.com/],
    [['ns-1.awsdns.com'], /names 1 of the zone's 2/],
    [[], /does not delegate it/],
    ['no answer', /could not be asked/],
  ])('is ill when the parent says %o', (parent, expected) => {
    const { ok, finding } = delegationFinding('shop.example.com', own, parent);
    expect(ok).toBe(false);
    expect(finding).toMatch(expected);
  });

  test('is read from the referral of a parent, which has it in the authority section', async () => {
    const parent = createSocket('udp4');
    parent.on('message', (message, from) => {
      const id = message.readUInt16BE(0);
      const authorities = own.map((data) => ({ type: 'NS' as const, name: 'shop.example.com', data }));
      parent.send(encode({ type: 'response', id, authorities }), from.port, from.address);
    });
    parent.bind(0, '127.0.0.1');
    await once(parent, 'listening');
    expect(await referralFrom('127.0.0.1', 'shop.example.com', parent.address().port)).toEqual(own);
    parent.close();
  });
});

describe('policy', () => {
  const withPolicy = (change: Partial<typeof config.policy>) =>
    policyFindings({ ...config, policy: { ...config.policy, ...change } });

  test('the default is well, and tells the worst case', () => {
    expect(policyFindings(config)).toMatchObject([
      { ok: true, finding: expect.stringContaining('asked for 60 s') },
    ]);
  });

  test.each([[{ mode: 'observe' as const }], [{ recoveryMs: 60_000 }], [{ cooldownMs: 60_000 }]])(
    '%o is told',
    (change) => {
      expect(withPolicy(change)[0]?.ok).toBe(false);
    },
  );
});

describe('cells without marked records', () => {
  const [orders, clicks] = config.cells as [(typeof config.cells)[number], (typeof config.cells)[number]];
  const found = (
    probes: readonly (typeof orders.probe)[],
    beacons: typeof config.policy.beacons | 'off' = 'probe',
  ) =>
    probeFindings({
      regions: config.regions,
      cells: probes.map((probe, n) => ({ ...(n === 0 ? orders : clicks), probe })),
      policy: { ...config.policy, ...(beacons !== 'off' && { beacons }) },
      ...(beacons !== 'off' && { beacons: { sources: 40 } }),
    });

  test('are a hint that names them and the way out, and no fault', () => {
    const hints = found(['never', 'onSuspicion']);
    expect(hints).toMatchObject([
      {
        ok: true,
        finding: expect.stringMatching(/^orders: .*an outage of such a stream alone .*beacons/),
        fix: expect.stringMatching(/docs\/envelope\.md.*onSuspicion/),
      },
    ]);
    expect(hints[0]?.finding).not.toContain('clicks');
    expect(doctorScreen(hints, { colors: createColors(false) })).toMatch(
      /^! probes: orders.*\n +→ .*\n\nall is well$/,
    );
  });

  test.each([
    ['probe', /page somebody, or not at all$/],
    ['move', /move the cell, or not at all$/],
    ['ignore', /by nobody: beacons of producers are ignored/],
    ['off', /by nobody: beacons is off, and no marked records are allowed$/],
  ] as const)('with beacons that are %s are seen so', (beacons, seen) => {
    expect(found(['never', 'never'], beacons)[0]?.finding).toMatch(seen);
  });

  test('do not wait for a suspicion that nobody can have', () => {
    for (const beacons of ['off', 'ignore'] as const) {
      expect(found(['never'], beacons)[0]?.fix).toMatch(/probe: 'always'.*beacons: true/);
      const [hint, ...more] = found(['always', 'onSuspicion'], beacons);
      expect(hint).toMatchObject({ ok: true, fix: expect.stringMatching(/probe: 'always'.*beacons: true/) });
      expect(hint?.finding).toMatch(/^clicks: probed on suspicion alone .*seen by nobody until/);
      expect(more).toEqual([]);
    }
  });

  test('are none where every stream may be probed, and somebody can suspect it', () => {
    for (const [one, ...more] of [found(['always', 'onSuspicion']), found(['always', 'always'], 'off')]) {
      expect(one).toMatchObject({ ok: true, fix: '' });
      expect(more).toEqual([]);
      expect(doctorScreen(one === undefined ? [] : [one], { colors: createColors(false) })).toMatch(
        /^✓ probes/,
      );
    }
  });

  const named = (count: number, probe: typeof orders.probe, nameOf: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => {
      const stream = { name: nameOf(n), create: false };
      return { ...orders, name: nameOf(n), probe, streams: { primary: stream, standby: stream } };
    });
  const foundOf = (cells: typeof config.cells) =>
    probeFindings({ ...config, cells, beacons: { sources: 40 } });
  const apart = (n: number) => `${String.fromCharCode(97 + (n % 26))}-${n}`;

  test('although the config says always are a fault, and a hint if it says onSuspicion', () => {
    expect(foundOf(named(60, 'always', apart))).toMatchObject([
      { ok: false, finding: expect.stringMatching(/and \d+ more: not probed, .*probe: always/) },
    ]);
    expect(foundOf(named(60, 'onSuspicion', apart))).toMatchObject([
      { ok: true, finding: expect.stringMatching(/not probed, .*probe: onSuspicion/) },
    ]);
  });

  test('are not those whose names share a beginning; the pattern that the roles have instead is told', () => {
    expect(foundOf(named(60, 'always', (n) => `shop-${n}`))).toMatchObject([
      {
        ok: true,
        finding: expect.stringContaining('stream/shop-* in us-east-1 and stream/shop-* in us-west-2'),
      },
    ]);
  });
});

describe('versions', () => {
  const deployed = (region: string, change: Partial<Deployed> = {}): Deployed => ({
    region,
    codeSha256: 'abcdefgh',
    modified: '2026-11-25',
    settings: {
      name: 'shop',
      region,
      primary: 'us-east-1',
      standby: 'us-west-2',
      zoneName: 'shop.example.com',
      policy: config.policy,
    } as Deployed['settings'],
    ...change,
  });

  test('the same code with the policy of the config is well', () => {
    expect(versionFindings(config, [deployed('a'), deployed('b')]).map(({ ok }) => ok)).toEqual([true]);
  });

  test('different code, another policy, or settings that cannot be read are told', () => {
    const other = {
      ...deployed('c').settings,
      policy: { ...config.policy, tickMs: 6_000 },
    } as Deployed['settings'];
    const found = versionFindings(config, [
      deployed('a'),
      deployed('b', { codeSha256: 'zzzzzzzz' }),
      deployed('c', { settings: other }),
      deployed('d', { settings: undefined }),
    ]);
    expect(found.map(({ finding }) => finding)).toEqual([
      expect.stringMatching(/different code: a abcdefgh .*; b zzzzzzzz/),
      'observer in c has another policy than the config',
      'observer in d: its settings cannot be read',
    ]);
  });
});

describe('a topic', () => {
  const topic = (...arns: readonly string[]) =>
    topicFinding({
      region: 'eu-west-1',
      TopicArn: 'arn:aws:sns:eu-west-1:123456789012:shop-notifications',
      Subscriptions: arns.map((SubscriptionArn) => ({ SubscriptionArn, Endpoint: 'oncall@example.com' })),
    });

  test('that somebody listens to is well', () => {
    expect(
      topic('PendingConfirmation', 'arn:aws:sns:eu-west-1:123456789012:shop-notifications:1'),
    ).toBeUndefined();
  });

  test('that nobody is subscribed to is told, with the command', () => {
    expect(topic()?.fix).toContain('aws sns subscribe --region eu-west-1 --topic-arn arn:aws:sns:eu-west-1');
  });

  test('whose subscribers have not confirmed is told, with their names', () => {
    expect(topic('PendingConfirmation')?.finding).toMatch(/eu-west-1: oncall@example.com has not confirmed/);
  });
});

test('what cannot be checked is a finding with a fix, and no check keeps the others from running', async () => {
  const aws = await startFakeAws();
  const services = ['sts', 'route53', 'kinesis', 'cloudwatch', 'lambda', 'dynamodb', 'sns'];
  for (const service of services) aws.down.add(service);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const clients = new AwsClients({ who: 'cli doctor', timeoutMs: 1_000, endpoint: aws.url, credentials });
  // Nothing listens there.
  const dnsServers = ['127.0.0.1:1'];
  const findings = await examine({
    config,
    clients,
    dnsServers,
    local: false,
    nowMs: Date.now(),
    now: Date.now,
  });
  clients.destroy();
  await aws.close();
  const ill = findings.filter(({ ok }) => !ok);
  expect(ill.every(({ fix }) => fix !== '')).toBe(true);
  const named = new Set(findings.map(({ check }) => check));
  expect(checks.map(({ check }) => check).filter((check) => !named.has(check))).toEqual([]);
  expect(findings.filter(({ ok }) => ok).map(({ check }) => check)).toEqual([
    'consumers',
    'policy',
    'probes',
    'beacons',
  ]);
  expect(doctorScreen(findings, { colors: createColors(false) })).toMatch(
    /^✗ credentials: STS in us-west-2 could not be checked.*\n +→ /,
  );
});
