import { expect, test } from 'vitest';
import { liveVote } from '../../lambda/core/vote.ts';
import { leastInput, problemsOf, withCells } from './inputs.ts';

const service = { name: 'api', type: 'A', primary: '192.0.2.1', standby: '192.0.2.2' } as const;
const policy = (values: object) => ({ ...leastInput, policy: values });
const delivery = (values: object) => ({ ...leastInput, delivery: values });
const cell = (values: object) => ({ ...leastInput, cells: [{ ...leastInput.cells[0], ...values }] });
const zone = (values: object) => ({ ...leastInput, zone: { ...leastInput.zone, ...values } });
const regions = (values: object) => ({
  ...leastInput,
  regions: { primary: 'us-east-1', standby: 'us-west-2', witnesses: ['us-east-2', 'eu-west-1'], ...values },
});

/** Where it is wrong, how the problem reads, how the fix reads. */
const refused: readonly [what: string, input: unknown, path: string, problem: RegExp, fix: RegExp][] = [
  ['nothing', null, '', /^is not an object/, /Write an object with .*name.*cells/],
  ['a list', [], '', /^is not an object/, /Write an object/],
  ['no name', { ...leastInput, name: undefined }, 'name', /^is missing/, /1 to 20 lower case/],
  ['a capital in the name', { ...leastInput, name: 'Shop' }, 'name', /"Shop" is not a valid name/, /1 to 20/],
  ['a name that ends with a hyphen', { ...leastInput, name: 'shop-' }, 'name', /"shop-"/, /not ending with/],
  ['a name of 21 characters', { ...leastInput, name: 'a'.repeat(21) }, 'name', /not a valid name/, /1 to 20/],
  ['a number as the name', { ...leastInput, name: 5 }, 'name', /^is not a string/, /1 to 20/],
  ['a mistyped key', { ...leastInput, polcy: {} }, '', /no key "polcy"/, /Did you mean policy\?/],
  ['a mistyped inner key', policy({ tickMS: 5000 }), 'policy', /no key "tickMS"/, /Did you mean tickMs\?/],
  ['a key from nowhere', zone({ comment: '' }), 'zone', /no key "comment"/, /Known keys: id, name/],
  ['a region that is none', regions({ standby: 'oregon' }), 'regions.standby', /"oregon"/, /like us-west-2/],
  ['one witness', regions({ witnesses: ['us-east-2'] }), 'regions.witnesses', /fewer than 2/, /List 2 to 30/],
  ['no witnesses', regions({ witnesses: undefined }), 'regions.witnesses', /^is missing/, /List 2 to 30/],
  ['a zone id that is none', zone({ id: 'shop' }), 'zone.id', /"shop"/, /Copy the id from Route 53/],
  [
    'a zone name of one label',
    zone({ name: 'shop' }),
    'zone.name',
    /not a domain name/,
    /shop\.example\.com/,
  ],
  ['beacons that are a text', { ...leastInput, beacons: 'on' }, 'beacons', /^is neither true/, /Write true/],
  [
    'no beacons',
    { ...leastInput, beacons: { sources: 0 } },
    'beacons.sources',
    /from 1 to/,
    /Write a number/,
  ],
  ['no cells', { ...leastInput, cells: [] }, 'cells', /fewer than 1/, /List 1 to 5000/],
  [
    'too many cells',
    { ...leastInput, cells: Array(5001).fill(leastInput.cells[0]) },
    'cells',
    /more than 5000/,
    /5000/,
  ],
  ['a cell name with a dot', cell({ name: 'a.b' }), 'cells[0].name', /"a\.b" is not a cell name/, /1 to 63/],
  ['a group in capitals', cell({ group: 'EU' }), 'cells[0].group', /"EU" is not a group name/, /1 to 63/],
  [
    'a cell without a stream',
    cell({ stream: undefined }),
    'cells[0]',
    /names no stream/,
    /Write stream for one/,
  ],
  [
    'a cell with stream and streams',
    cell({ streams: { primary: 'a', standby: 'b' } }),
    'cells[0]',
    /both stream and streams/,
    /not both/,
  ],
  [
    'a stream that is a number',
    cell({ stream: 5 }),
    'cells[0].stream',
    /neither a stream name nor/,
    /'orders'/,
  ],
  ['a stream that is an ARN', cell({ stream: 'arn:aws:kinesis' }), 'cells[0].stream', /"arn:/, /not an ARN/],
  ['a bad stream object', cell({ stream: { name: '' } }), 'cells[0].stream.name', /""/, /1 to 128/],
  [
    'a mistyped stream key',
    cell({ stream: { name: 'a', shard: 1 } }),
    'cells[0].stream',
    /"shard"/,
    /mean shards/,
  ],
  [
    '0 shards',
    cell({ stream: { name: 'a', shards: 0 } }),
    'cells[0].stream.shards',
    /1 to 10000/,
    /in that range/,
  ],
  [
    'shards of an existing stream',
    cell({ stream: { name: 'a', existing: true, shards: 4 } }),
    'cells[0].stream.shards',
    /existing stream/,
    /Leave shards out/,
  ],
  [
    'a stream without a name',
    cell({ stream: { existing: true } }),
    'cells[0].stream.name',
    /^is missing/,
    /Write the name of the stream, or arn/,
  ],
  [
    'the ARN of something else',
    cell({
      streams: { primary: { arn: 'arn:aws:sqs:us-east-1:111122223333:orders' }, standby: 'a' },
      stream: undefined,
    }),
    'cells[0].streams.primary.arn',
    /is not the ARN of a Kinesis stream in the partition aws/,
    /Write an ARN like/,
  ],
  [
    'the ARN of another partition',
    cell({
      streams: { primary: { arn: 'arn:aws-cn:kinesis:cn-north-1:111122223333:stream/orders' }, standby: 'a' },
      stream: undefined,
    }),
    'cells[0].streams.primary.arn',
    /partition aws/,
    /Write an ARN like/,
  ],
  [
    'an ARN beside a name',
    cell({
      streams: {
        primary: { name: 'a', arn: 'arn:aws:kinesis:us-east-1:111122223333:stream/orders' },
        standby: 'a',
      },
      stream: undefined,
    }),
    'cells[0].streams.primary.arn',
    /given beside name/,
    /Leave name out/,
  ],
  [
    'shards of a stream of another account',
    cell({
      streams: {
        primary: { arn: 'arn:aws:kinesis:us-east-1:111122223333:stream/orders', shards: 4 },
        standby: 'a',
      },
      stream: undefined,
    }),
    'cells[0].streams.primary.shards',
    /existing stream/,
    /Leave shards out/,
  ],
  [
    'only one of two streams',
    cell({ stream: undefined, streams: { primary: 'a' } }),
    'cells[0].streams.standby',
    /^is missing/,
    /stream/,
  ],
  [
    'a service at the apex',
    cell({ services: [{ ...service, name: '@' }] }),
    'cells[0].services[0].name',
    /"@" is not a name below the zone/,
    /cannot follow a cell/,
  ],
  [
    'a record type that is not served',
    cell({ services: [{ ...service, type: 'MX' }] }),
    'cells[0].services[0].type',
    /"MX" is not one of "A" or "AAAA" or "CNAME"/,
    /Write "A"/,
  ],
  [
    'a service without values',
    cell({ services: [{ ...service, standby: [] }] }),
    'cells[0].services[0].standby',
    /fewer than 1/,
    /1 to 400/,
  ],
  ['an unknown mode', policy({ mode: 'on' }), 'policy.mode', /"on" is not one of/, /"observe" or "approve"/],
  [
    'half a vote',
    policy({ votesToEvacuate: 1.5 }),
    'policy.votesToEvacuate',
    /whole number/,
    /leave the key out/,
  ],
  [
    'an interval of 20 s',
    delivery({ healthCheckIntervalSeconds: 20 }),
    'delivery.healthCheckIntervalSeconds',
    /20 is not one of 10 or 30/,
    /10 or 30/,
  ],
  [
    'a quota of none',
    { ...leastInput, healthCheckQuota: 0 },
    'healthCheckQuota',
    /1 to 100000/,
    /health checks/,
  ],
];

test.each(refused)('refuses %s, and says where and what to write', (_what, input, path, problem, fix) => {
  const [found, ...others] = problemsOf(input);
  expect(others).toEqual([]);
  expect(found?.path).toBe(path);
  expect(found?.problem).toMatch(problem);
  expect(found?.fix).toMatch(fix);
});

const ranges = [
  ['policy', 'tickMs', 1_000, 30_000],
  ['policy', 'probeTimeoutMs', 100, 10_000],
  ['policy', 'slowProbeEveryTicks', 1, 720],
  ['policy', 'voteTtlMs', 3_000, 120_000],
  ['policy', 'holdMs', 0, 3_600_000],
  ['policy', 'recoveryMs', 10_000, 86_400_000],
  ['policy', 'cooldownMs', 0, 604_800_000],
  ['policy', 'baselineFailureRate', 0.000_001, 0.1],
  ['policy', 'impairedFailureRate', 0.01, 0.99],
  ['policy', 'minimumGain', 0.05, 0.4],
  ['policy', 'falseAlarmsPerYear', 0.001, 1_000],
  ['delivery', 'dnsTtlSeconds', 1, 60],
  ['delivery', 'producerPollMs', 100, 60_000],
  ['delivery', 'rtoMs', 5_000, 3_600_000],
] as const;

test.each(ranges)('%s.%s lies between %d and %d', (section, key, min, max) => {
  const rangeProblem = (value: unknown): boolean =>
    problemsOf({ ...leastInput, [section]: { [key]: value } }).some(({ problem }) =>
      problem.includes(`from ${min}`),
    );
  const outside = [min - 0.000_001, max + 1, Number.NaN, '5', null].map(rangeProblem);
  expect(outside).toEqual([true, true, true, true, true]);
  expect([min, max].map(rangeProblem)).toEqual([false, false]);
});

test('reports every wrong value of a file at once', () => {
  const input = { ...leastInput, name: '-', zone: { id: '?', name: '?' }, policy: { tickMs: 1, mode: 'on' } };
  expect(problemsOf(input).map(({ path }) => path)).toEqual([
    'name',
    'zone.id',
    'zone.name',
    'policy.mode',
    'policy.tickMs',
  ]);
});

test('the longest vote life that is accepted is one that the vote endpoint honours', () => {
  const vote = (ttlMs: number) =>
    liveVote({ vote: 'EVACUATE', decidedAtMs: 1_000, expiresAtMs: 1_000 + ttlMs }, 2_000);
  expect(problemsOf(policy({ voteTtlMs: 120_000 }))).toEqual([]);
  expect(vote(120_000)).toBe('EVACUATE');
  expect(problemsOf(policy({ voteTtlMs: 120_001 }))).toHaveLength(1);
});

test('a value that looks like a message is quoted, not obeyed', () => {
  const [found] = problemsOf({ ...leastInput, name: 'x. Fix: y' });
  expect(found).toMatchObject({
    problem: '"x. Fix: y" is not a valid name',
    fix: expect.stringMatching(/^Use 1 to 20/),
  });
});

test('a long wrong value is quoted short', () => {
  const [found] = problemsOf(withCells({ name: 'x'.repeat(10_000), stream: 'orders' }));
  expect(found?.problem.length).toBeLessThan(100);
});
