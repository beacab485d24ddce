import { describe, expect, test } from 'vitest';
import type { CellInput } from '../../lib/config/schema.ts';
import { leastInput, problemsOf, withCells } from './inputs.ts';

type ServiceInput = NonNullable<CellInput['services']>[number];
const a: ServiceInput = { name: 'api', type: 'A', primary: '192.0.2.1', standby: '192.0.2.2' };
const withServices = (...services: ServiceInput[]) =>
  withCells({ name: 'orders', stream: 'orders', services });

describe('cells and streams', () => {
  test('a cell name is used once', () => {
    const input = withCells({ name: 'orders', stream: 'one' }, { name: 'orders', stream: 'two' });
    expect(problemsOf(input)).toEqual([
      {
        path: 'cells[1].name',
        problem: 'is the same as cells[0].name',
        fix: 'Give each cell a name of its own.',
      },
    ]);
  });

  test('a stream belongs to one cell, in each region', () => {
    const input = withCells(
      { name: 'one', stream: 'orders' },
      { name: 'two', stream: { name: 'orders', existing: true } },
      { name: 'three', streams: { primary: 'three', standby: 'orders' } },
    );
    const fix = 'Give each cell a stream of its own, or make them one cell.';
    expect(problemsOf(input)).toEqual([
      { path: 'cells[1].stream', problem: 'is the same as cells[0].stream', fix },
      { path: 'cells[2].streams.standby', problem: 'is the same as cells[0].stream', fix },
    ]);
  });

  const arn = (region: string, name = 'orders') => ({
    arn: `arn:aws:kinesis:${region}:111122223333:stream/${name}`,
  });
  const streams = { primary: arn('us-east-1'), standby: arn('us-west-2') };

  test.each<[string, CellInput, string, RegExp, RegExp]>([
    [
      'an ARN of another region than its role',
      { name: 'orders', streams: { primary: arn('us-east-1'), standby: arn('us-east-1') } },
      'cells[0].streams.standby.arn',
      /is in us-east-1, and the standby is us-west-2/,
      /Write the ARN of the stream in us-west-2/,
    ],
    [
      'one ARN for both regions',
      { name: 'orders', stream: arn('us-east-1') },
      'cells[0].stream',
      /names the stream of one region/,
      /streams: \{ primary: \{ arn \}/,
    ],
    [
      'marked records for another account',
      { name: 'orders', streams, probe: 'onSuspicion' },
      'cells[0].probe',
      /put no records into streams of other accounts/,
      /Leave probe out/,
    ],
  ])('%s is refused', (_what, cell, path, problem, fix) => {
    expect(problemsOf(withCells(cell))).toEqual([
      { path, problem: expect.stringMatching(problem), fix: expect.stringMatching(fix) },
    ]);
  });

  test('a drill has no cell in another account', () => {
    const input = { ...withCells({ name: 'drill', streams }), drill: { cell: 'drill' } };
    expect(problemsOf(input)).toEqual([
      {
        path: 'drill.cell',
        problem: expect.stringMatching(/are in another account/),
        fix: 'Name a cell with streams of this account.',
      },
    ]);
  });

  test('a stream of one name belongs to one cell, whatever the account', () => {
    const input = withCells({ name: 'one', stream: 'orders' }, { name: 'two', streams });
    expect(problemsOf(input).map(({ path }) => path)).toEqual([
      'cells[1].streams.primary',
      'cells[1].streams.standby',
    ]);
  });

  test('streams of one name in different regions are different streams', () => {
    const input = withCells(
      { name: 'one', streams: { primary: 'x', standby: 'y' } },
      { name: 'two', streams: { primary: 'y', standby: 'x' } },
    );
    expect(problemsOf(input)).toEqual([]);
  });

  test.each(['shop-canary', { name: 'shop-canary', existing: true }])(
    'the canary stream %j is no cell',
    (stream) => {
      expect(problemsOf(withCells({ name: 'orders', stream }))).toEqual([
        {
          path: 'cells[0].stream',
          problem: "shop-canary is the name of Spillway's own canary stream",
          fix: expect.stringMatching(/Name another stream/),
        },
      ]);
    },
  );

  test('the DNS names made from cell and zone fit into 253 characters', () => {
    const zone = (length: number) => `${'a.'.repeat((length - 3) / 2)}com`;
    // primary.signal.orders. is 22 characters.
    const input = (length: number) => ({ ...leastInput, zone: { ...leastInput.zone, name: zone(length) } });
    expect(problemsOf(input(231))).toEqual([]);
    expect(problemsOf(input(233))).toEqual([
      {
        path: 'cells[0].name',
        problem: expect.stringContaining('longer than 253 characters'),
        fix: expect.stringMatching(/Shorten the name/),
      },
    ]);
  });
});

test('the record of the quorum fits into a DNS name', () => {
  const named = (name: string) => ({
    ...leastInput,
    name,
    zone: { ...leastInput.zone, name: ['a', 'b', 'c', 'd'].map((part) => part.repeat(55)).join('.') },
    cells: [{ name: 'o', stream: 'o' }],
  });
  expect(problemsOf(named('a'.repeat(20)))).toEqual([]);
  expect(
    problemsOf({
      ...named('a'.repeat(20)),
      zone: { ...named('a').zone, name: `${named('a').zone.name}.example` },
    }),
  ).toEqual([
    {
      path: 'name',
      problem: expect.stringMatching(/^makes the DNS name region\.a{20}\..*longer than 253/),
      fix: expect.stringMatching(/Shorten the name/),
    },
  ]);
});

describe('service names', () => {
  test.each([
    ['region', 'the region record'],
    ['region.shop', 'the region record'],
    ['signal', 'the signals of cells'],
    ['signal.orders', 'the signals of cells'],
    ['primary.api', "the records under each name's tree"],
    ['primary.region', "the records under each name's tree"],
  ])('%s is reserved', (name, owner) => {
    expect(problemsOf(withServices({ ...a, name }))).toEqual([
      {
        path: 'cells[0].services[0].name',
        problem: `${name} is reserved for ${owner}`,
        fix: 'Choose another name.',
      },
    ]);
  });

  test.each(['shop.example.com', 'api.shop.example.com'])('%s is written without the zone', (name) => {
    expect(problemsOf(withServices({ ...a, name }))).toEqual([
      {
        path: 'cells[0].services[0].name',
        problem: expect.stringContaining(`would become ${name}.shop.example.com`),
        fix: 'Write the name without the zone.',
      },
    ]);
  });

  test('a record is written once', () => {
    expect(problemsOf(withServices(a, a))).toEqual([
      {
        path: 'cells[0].services[1].name',
        problem: 'is the same as cells[0].services[0].name',
        fix: 'Write all values of this A name in one service.',
      },
    ]);
  });

  test('a name may have IPv4 and IPv6 addresses, but nothing beside a CNAME', () => {
    const aaaa: ServiceInput = { name: 'api', type: 'AAAA', primary: '2001:db8::1', standby: '2001:db8::2' };
    const cname: ServiceInput = {
      name: 'api',
      type: 'CNAME',
      primary: 'a.example.net',
      standby: 'b.example.net',
    };
    expect(problemsOf(withServices(a, aaaa))).toEqual([]);
    for (const pair of [[a, cname] as const, [cname, aaaa] as const]) {
      expect(problemsOf(withServices(...pair))).toEqual([
        {
          path: 'cells[0].services[1].name',
          problem: 'api is both a CNAME and another type, which DNS does not allow',
          fix: expect.stringMatching(/Keep the CNAME/),
        },
      ]);
    }
  });

  test('a name follows one cell', () => {
    const input = withCells(
      { name: 'one', stream: 'one', services: [a] },
      { name: 'two', stream: 'two', services: [{ ...a, type: 'AAAA', primary: '::1', standby: '::2' }] },
    );
    expect(problemsOf(input)).toEqual([
      {
        path: 'cells[1].services[0].name',
        problem: 'api belongs to the cell one already',
        fix: 'Let each name follow one cell.',
      },
    ]);
  });

  test('the DNS name made from service and zone fits into 253 characters', () => {
    const name = Array.from({ length: 4 }, () => 'x'.repeat(58)).join('.');
    expect(problemsOf(withServices({ ...a, name }))).toEqual([
      {
        path: 'cells[0].services[0].name',
        problem: expect.stringContaining('longer than 253'),
        fix: expect.stringMatching(/Shorten/),
      },
    ]);
  });
});

describe('service values', () => {
  test.each([
    ['A', '192.0.2.256', 'an IPv4 address'],
    ['A', 'host.example.com', 'an IPv4 address'],
    ['A', '2001:db8::1', 'an IPv4 address'],
    ['AAAA', '192.0.2.1', 'an IPv6 address'],
    ['AAAA', 'fe80::1%eth0', 'an IPv6 address'],
    ['CNAME', '192.0.2.1', 'a host name'],
    ['CNAME', 'two words', 'a host name'],
    ['CNAME', '', 'a host name'],
    ['CNAME', `${'a.'.repeat(127)}a`, 'a host name'],
  ] as const)('%s cannot hold %j', (type, value, what) => {
    const good = { A: '192.0.2.1', AAAA: '2001:db8::1', CNAME: 'a.example.net' }[type];
    expect(problemsOf(withServices({ name: 'api', type, primary: good, standby: value }))).toEqual([
      {
        path: 'cells[0].services[0].standby',
        problem: expect.stringMatching(new RegExp(`^"${value.slice(0, 50)}.* is not ${what}$`)),
        fix: `A record of type ${type} holds ${what}.`,
      },
    ]);
  });

  test('a CNAME has one target', () => {
    const targets = ['a.example.net', 'b.example.net'];
    const input = withServices({ name: 'api', type: 'CNAME', primary: targets, standby: 'c.example.net.' });
    expect(problemsOf(input)).toEqual([
      {
        path: 'cells[0].services[0].primary',
        problem: 'is more than one host name',
        fix: 'A CNAME points to one host.',
      },
    ]);
  });

  test('a value is written once', () => {
    const input = withServices({ ...a, primary: ['192.0.2.1', '192.0.2.1'] });
    expect(problemsOf(input)).toEqual([
      { path: 'cells[0].services[0].primary', problem: 'holds a value twice', fix: 'Write each value once.' },
    ]);
  });
});
