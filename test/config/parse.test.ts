import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Config } from '../../lib/config/config.ts';
import { writtenConsumer } from '../../lib/config/consumers.ts';
import { ConfigError } from '../../lib/config/errors.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import type { CellInput, ConfigInput } from '../../lib/config/schema.ts';
import { leastInput, problemsOf, withCells } from './inputs.ts';

const parse = (input: unknown): Config => parseConfig(input, 'spillway.config.json');

test('fills in what a short configuration leaves out', () => {
  expect(parse(leastInput)).toEqual({
    name: 'shop',
    regions: { primary: 'us-east-1', standby: 'us-west-2', witnesses: ['us-east-2', 'eu-west-1'] },
    zone: { id: 'Z0123456789', name: 'shop.example.com' },
    cells: [
      {
        name: 'orders',
        group: 'orders',
        streams: { primary: { name: 'orders', create: true }, standby: { name: 'orders', create: true } },
        probe: 'onSuspicion',
        services: [],
      },
    ],
    policy: {
      mode: 'auto',
      votesToEvacuate: 2,
      tickMs: 5_000,
      probeTimeoutMs: 2_000,
      slowProbeEveryTicks: 24,
      voteTtlMs: 30_000,
      holdMs: 0,
      recoveryMs: 900_000,
      cooldownMs: 1_800_000,
      baselineFailureRate: 0.001,
      impairedFailureRate: 0.3,
      minimumGain: 0.2,
      beacons: 'probe',
      falseAlarmsPerYear: 0.01,
      putsPerRound: 5,
      siblingProbes: [],
      blipMs: 10_000,
      slowFactor: 4,
      slowFloorMs: 250,
    },
    delivery: {
      healthCheckIntervalSeconds: 10,
      dnsTtlSeconds: 5,
      producerPollMs: 2_000,
      rtoMs: 60_000,
      switchConcurrency: 100,
    },
    healthCheckQuota: 200,
    notify: {},
    monitoring: {
      dashboard: true,
      observerSilentMinutes: 3,
      standbyUnfitMinutes: 5,
      votesDisagreeMinutes: 10,
      pauseForgottenHours: 4,
    },
  });
});

test('the former record of the zone is kept only where that is asked for', () => {
  const zoneOf = (keepRegionRecord?: boolean) =>
    parse({ ...leastInput, zone: { ...leastInput.zone, keepRegionRecord } }).zone;
  expect(zoneOf(true)).toEqual({ ...leastInput.zone, keepRegionRecord: true });
  expect([zoneOf(), zoneOf(false)]).toEqual([leastInput.zone, leastInput.zone]);
});

test.each([
  [2, 2],
  [3, 3],
  [4, 3],
  [5, 4],
])('with %d witnesses a majority of %d must agree', (count, majority) => {
  const all = ['us-east-2', 'eu-west-1', 'eu-west-2', 'eu-north-1', 'ap-south-1'];
  const regions = { primary: 'us-east-1', standby: 'us-west-2', witnesses: all.slice(0, count) };
  expect(parse({ ...leastInput, regions }).policy.votesToEvacuate).toBe(majority);
});

test('what is given wins over the default, and an undefined key does not', () => {
  const input = {
    ...leastInput,
    policy: { mode: 'observe', tickMs: undefined },
    delivery: { dnsTtlSeconds: 10, rtoMs: undefined },
    healthCheckQuota: 500,
  };
  const { policy, delivery, healthCheckQuota } = parse(input);
  expect(policy).toMatchObject({ mode: 'observe', tickMs: 5_000 });
  expect(delivery).toMatchObject({ dnsTtlSeconds: 10, rtoMs: 60_000 });
  expect(healthCheckQuota).toBe(500);
});

test('a zone is written as Route 53 shows it', () => {
  const input = { ...leastInput, zone: { id: '/hostedzone/Z1', name: 'Shop.Example.com.' } };
  expect(parse(input).zone).toEqual({ id: 'Z1', name: 'shop.example.com' });
});

test('every way to write a stream', () => {
  const own = { name: 'own', existing: true };
  const input = withCells(
    { name: 'created', stream: { name: 'c', existing: false, shards: 4 } },
    { name: 'mixed', streams: { primary: own, standby: 'copy' } },
  );
  expect(parse(input).cells.map(({ streams }) => streams)).toEqual([
    { primary: { name: 'c', create: true, shards: 4 }, standby: { name: 'c', create: true, shards: 4 } },
    { primary: { name: 'own', create: false }, standby: { name: 'copy', create: true } },
  ]);
});

test('a stream of another account is named by its ARN, is never created, and is not probed', () => {
  const arn = (region: string) => `arn:aws:kinesis:${region}:111122223333:stream/orders`;
  const streams = { primary: { arn: arn('us-east-1') }, standby: { arn: arn('us-west-2') } };
  const [cell] = parse(withCells({ name: 'orders', streams })).cells;
  expect(cell).toMatchObject({
    streams: {
      primary: { name: 'orders', create: false, arn: arn('us-east-1') },
      standby: { name: 'orders', create: false, arn: arn('us-west-2') },
    },
    probe: 'never',
  });
});

test('one value of a service becomes a list of one', () => {
  const service = {
    name: 'api',
    type: 'A',
    primary: '192.0.2.1',
    standby: ['192.0.2.2', '192.0.2.3'],
  } as const;
  const input = withCells({
    name: 'orders',
    stream: 'orders',
    services: [{ ...service, standby: [...service.standby] }],
  });
  expect(parse(input).cells[0]?.services).toEqual([
    { name: 'api', type: 'A', primary: ['192.0.2.1'], standby: ['192.0.2.2', '192.0.2.3'] },
  ]);
});

test('an error names the file first, then each problem on a line with its path and its fix', () => {
  const error = new ConfigError('spillway.config.json', [
    { path: 'cells[2].stream', problem: 'is missing', fix: 'Write one.' },
    { path: '', problem: 'is empty', fix: 'Fill it.' },
  ]);
  expect(error.message).toBe(
    [
      'spillway.config.json: 2 problems',
      'cells[2].stream: is missing. Fix: Write one.',
      'config: is empty. Fix: Fill it.',
    ].join('\n'),
  );
});

test('says no more than 100 problems', () => {
  const cells = Array.from({ length: 300 }, (): CellInput => ({ name: 'same', stream: 'same' }));
  expect(problemsOf({ ...leastInput, cells })).toHaveLength(100);
});

test('a configuration of 5,000 cells is checked in a moment', () => {
  const cells = Array.from(
    { length: 5_000 },
    (_, n): CellInput => ({ name: `c${n}`, group: 'all', stream: `s${n}` }),
  );
  const startedMs = performance.now();
  expect(parse({ ...leastInput, cells }).cells).toHaveLength(5_000);
  expect(performance.now() - startedMs).toBeLessThan(2_000);
});

const problemsHavePathAndFix = (input: unknown): void => {
  for (const { problem, fix } of problemsOf(input)) {
    expect(problem).not.toBe('');
    expect(fix).toMatch(/[.?]$/);
  }
};

test('whatever the JSON, the only error is a ConfigError, and each problem has a fix', () => {
  fc.assert(fc.property(fc.jsonValue(), problemsHavePathAndFix));
});

test('the same for a good configuration with any part replaced', () => {
  const whole = { ...parsedAsInput(), $schema: 'config.schema.json' };
  const paths = leavesOf(whole);
  const spoil = fc.tuple(fc.constantFrom(...paths), fc.jsonValue());
  fc.assert(
    fc.property(fc.array(spoil, { minLength: 1, maxLength: 4 }), (changes) => {
      const input = structuredClone(whole);
      for (const [path, value] of changes) replaceAt(input, path, value);
      problemsHavePathAndFix(input);
    }),
    { numRuns: 500 },
  );
});

const label = fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,8}[a-z0-9])?$/);
const region = fc.constantFrom(
  'us-east-1',
  'us-east-2',
  'us-west-2',
  'eu-west-1',
  'eu-north-1',
  'ap-south-1',
);
/** Without a key, which is written differently for one region and for both. */
const stream = (
  name: string,
): fc.Arbitrary<string | { name: string; existing: boolean } | { name: string; shards: number }> =>
  fc.oneof(
    fc.constant(name),
    fc.record({ name: fc.constant(name), existing: fc.boolean() }),
    fc.record({ name: fc.constant(name), shards: fc.integer({ min: 1, max: 10_000 }) }),
  );
const inEach = (name: fc.Arbitrary<string>) => fc.oneof(name, fc.record({ primary: name, standby: name }));
const ofKind = (kind: string) => inEach(label.map((name) => `${kind}-${name}`));
const consumers: fc.Arbitrary<NonNullable<CellInput['consumers']>> = fc.tuple(
  fc.record({
    kind: fc.constant('lambda' as const),
    function: ofKind('f'),
    takes: fc.subarray(['aggregates' as const, 'probes' as const]),
  }),
  fc.record({ kind: fc.constant('kcl' as const), leaseTable: ofKind('t') }),
  fc.record({ kind: fc.constant('enhancedFanOut' as const), name: ofKind('e') }),
  fc.record({ kind: fc.constant('firehose' as const), name: ofKind('h') }),
  fc.record({ kind: fc.constant('other' as const), alarm: ofKind('a') }),
);
const cellOf = (name: string): fc.Arbitrary<CellInput> =>
  fc.oneof<fc.Arbitrary<CellInput>[]>(
    fc.record({ name: fc.constant(name), stream: stream(`s.${name}`) }),
    fc.record({
      name: fc.constant(name),
      group: label,
      streams: fc.record({ primary: stream(`p.${name}`), standby: stream(`q.${name}`) }),
      services: fc.constant([
        { name: `api.${name}`, type: 'CNAME' as const, primary: 'a.example.net', standby: 'b.example.net' },
      ]),
      consumers,
    }),
  );
const validInput: fc.Arbitrary<ConfigInput> = fc
  .record({
    name: label,
    regions: fc.uniqueArray(region, { minLength: 4, maxLength: 6 }),
    cellNames: fc.uniqueArray(label, { minLength: 1, maxLength: 12 }),
    zone: fc.record({
      id: fc.stringMatching(/^Z[A-Z0-9]{1,32}$/),
      name: label.map((name) => `${name}.example.com`),
    }),
    policy: fc.record(
      {
        mode: fc.constantFrom('observe', 'approve', 'auto'),
        votesToEvacuate: fc.constant(2),
        tickMs: fc.integer({ min: 4_000, max: 6_000 }),
        cooldownMs: fc.integer({ min: 0, max: 7_200_000 }),
      },
      { requiredKeys: [] },
    ),
    delivery: fc.record({ dnsTtlSeconds: fc.integer({ min: 1, max: 14 }) }, { requiredKeys: [] }),
  })
  .chain(({ regions: [primary = '', standby = '', ...witnesses], cellNames, ...rest }) =>
    fc
      .tuple(...cellNames.map(cellOf))
      .map((cells) => ({ ...rest, regions: { primary, standby, witnesses }, cells })),
  );

test('a valid configuration is accepted, and its result, written down again, means the same', () => {
  fc.assert(
    fc.property(validInput, (input) => {
      const config = parse(input);
      expect(parse(written(config))).toEqual(config);
    }),
  );
});

/** A loaded configuration in the form of a file. */
function written(config: Config): ConfigInput {
  const spec = ({ name, create, shards }: { name: string; create: boolean; shards?: number }) => ({
    name,
    existing: !create,
    ...(shards !== undefined && { shards }),
  });
  const { keepGroups, ...rest } = structuredClone(config);
  return {
    ...rest,
    ...(keepGroups === undefined ? {} : { keepGroups: [...keepGroups] }),
    policy: { ...config.policy, siblingProbes: [...config.policy.siblingProbes] },
    regions: { ...config.regions, witnesses: [...config.regions.witnesses], confirmed: undefined },
    cells: config.cells.map(({ streams, services, consumers, ...cell }) => ({
      ...cell,
      ...(consumers === undefined ? {} : { consumers: consumers.map(writtenConsumer) }),
      streams: { primary: spec(streams.primary), standby: spec(streams.standby) },
      services: services.map((service) => ({
        ...service,
        primary: [...service.primary],
        standby: [...service.standby],
      })),
    })),
  };
}

function parsedAsInput(): ConfigInput {
  const services = [{ name: 'api', type: 'A' as const, primary: '192.0.2.1', standby: '192.0.2.2' }];
  return written(parse(withCells({ name: 'orders', stream: { name: 'orders', shards: 2 }, services })));
}

type Path = readonly string[];

/** Paths of every value inside, containers included. */
function leavesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, child]) => leavesOf(child, [...path, key]));
  return path.length === 0 ? inner : [path, ...inner];
}

function replaceAt(target: unknown, path: Path, value: unknown): void {
  const [key, ...rest] = path;
  if (typeof target !== 'object' || target === null || key === undefined) return;
  if (rest.length === 0) Object.assign(target, { [key]: value });
  else replaceAt((target as Record<string, unknown>)[key], rest, value);
}

test('takes an e-mail address and an https webhook, and nothing else, for notifications', () => {
  const notify = { email: 'oncall@example.com', webhook: 'https://chat.example.com/hook?x=1' };
  expect(parse({ ...leastInput, notify }).notify).toEqual(notify);
  for (const wrong of [{ email: 'nobody' }, { webhook: 'http://chat.example.com' }, { sms: '1' }]) {
    expect(() => parse({ ...leastInput, notify: wrong })).toThrow(/notify/);
  }
});

test.each<[string, Pick<ConfigInput, 'drill' | 'monitoring'>, number | undefined]>([
  ['no drills', {}, undefined],
  ['weekly drills', { drill: { cell: 'orders' } }, 8],
  ['drills by hand', { drill: { cell: 'orders', schedule: 'off' } }, undefined],
  [
    'drills by hand that are not to be forgotten',
    { drill: { cell: 'orders', schedule: 'off' }, monitoring: { drillOverdueDays: 90 } },
    90,
  ],
  [
    'weekly drills of which some may fail',
    { drill: { cell: 'orders' }, monitoring: { drillOverdueDays: 15 } },
    15,
  ],
])('with %s a drill is overdue after: %o -> %s', (_what, change, days) => {
  const { monitoring } = parseConfig({ ...leastInput, ...change }, 'test');
  expect(monitoring.drillOverdueDays).toBe(days);
});

test.each<[ConfigInput['beacons'], Config['beacons']]>([
  [undefined, undefined],
  [false, undefined],
  [true, { sources: 100 }],
  [{}, { sources: 100 }],
  [{ sources: 2_000 }, { sources: 2_000 }],
])('with beacons: %o the config has %o', (beacons, expected) => {
  expect(parse({ ...leastInput, beacons }).beacons).toEqual(expected);
});
