import { KinesisClient } from '@aws-sdk/client-kinesis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  FailoverProducer,
  type FollowSignalOptions,
  followSignal,
  ProducerConfigError,
  type ProducerOptions,
} from '../../lib/producer/index.ts';
import type { Transport } from '../../lib/producer/transport.ts';
import type { Case } from './ill-typed.ts';

const valid = {
  signal: { name: 'signal.orders.example.com', servers: ['127.0.0.1:1'] },
  regions: ['us-east-1', 'us-west-2'],
} as const satisfies ProducerOptions;
const accepting: Transport = {
  send: async ({ region, records }) =>
    records.map(() => ({ region, shardId: 'shardId-000000000000', sequenceNumber: '1' })),
  close() {},
};

let open: FailoverProducer[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(open.map((producer) => producer.close({ timeoutMs: 0 })));
  open = [];
});

function create(options: unknown): FailoverProducer {
  const producer = new FailoverProducer(options as ProducerOptions, { transport: accepting });
  open.push(producer);
  return producer;
}

const throws = () => {
  throw new Error('from a callback');
};
const anything: readonly Case[] = [
  ['null', null],
  ['a BigInt', 5n],
  ['a Symbol', Symbol('s')],
  ['an empty text', ''],
  ['an array', []],
  ['an object without a prototype', Object.create(null)],
];
const noNumber: readonly Case[] = [
  ...anything,
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['a negative number', -1],
  ['a fraction', 1.5],
  ['a number in a text', '5'],
  ['a function', () => 5],
];
const numbers = [
  ...['maxRecordBytes', 'maxBufferedRecords', 'maxBufferedBytes', 'maxBatchRecords', 'maxInFlight'],
  ...['lingerMs', 'requestTimeoutMs', 'deliveryTimeoutMs', 'retryBaseMs', 'retryMaxMs'],
];
const noFunction: readonly Case[] = [...anything, ['a text', 'http://127.0.0.1'], ['a number', 5]];

const arnIn = (region: string): string => `arn:aws:kinesis:${region}:111122223333:stream/orders`;

/** Values that an option cannot have. */
const wrong: Readonly<Record<string, readonly Case[]>> = {
  ...Object.fromEntries(numbers.map((name) => [name, noNumber])),
  signal: [...anything, ['missing', undefined], ['without a name', {}], ['a number for a name', { name: 5 }]],
  regions: [
    ...anything,
    ['missing', undefined],
    ['a text', 'us-east-1'],
    ['a list of numbers', [5]],
    ['a list with what is no region', ['us-east-1', 'US EAST']],
  ],
  streamName: [
    ...anything.filter(([name]) => !['an array', 'an object without a prototype'].includes(name)),
    ['a number', 5],
    ['what is no name', 'a stream'],
    ['an ARN', arnIn('us-east-1')],
    ['a number for a region', { 'us-east-1': 5 }],
    ['null for a region', { 'us-east-1': null }],
  ],
  streamArn: [
    ...anything.filter(([name]) => !['an array', 'an object without a prototype'].includes(name)),
    ['a text', arnIn('us-east-1')],
    ['what is no ARN', { 'us-east-1': 'orders' }],
    ['a number for a region', { 'us-east-1': 5 }],
    ['the ARN of another region', { 'us-east-1': arnIn('us-west-2') }],
    ['the ARN of another service', { 'us-east-1': 'arn:aws:dynamodb:us-east-1:111122223333:table/orders' }],
    ['the ARN of a consumer', { 'us-east-1': `${arnIn('us-east-1')}/consumer/c:1` }],
    ['the ARN of another partition', { 'us-east-1': arnIn('us-east-1').replace('arn:aws:', 'arn:aws-cn:') }],
    ['a region that is never written to', { 'eu-west-1': arnIn('eu-west-1') }],
  ],
  accounts: [
    ...anything,
    ['a text', '111122223333'],
    ['a list of numbers', [111122223333]],
    ['no account', ['x']],
  ],
  endpoint: [
    ...noFunction,
    ['a function that throws', throws],
    [
      'a function that throws for the standby',
      (region: string) => (region === 'us-east-1' ? undefined : throws()),
    ],
    ['a function that returns a number', () => 5],
    ['a function that returns null', () => null],
    ['a function that returns no URL', () => 'localhost:4567'],
    ['a function that returns a promise', async () => 'http://127.0.0.1'],
  ],
  credentials: [
    ...anything,
    ['a text', 'AKID'],
    ['without a secret', { accessKeyId: 'AKID' }],
    ['with a number', { accessKeyId: 5, secretAccessKey: 'secret' }],
    ['with a line feed', { accessKeyId: 'AKID\n', secretAccessKey: 'secret' }],
    ['that expire at a text', { accessKeyId: 'AKID', secretAccessKey: 'secret', expiration: '2026-01-01' }],
    ['a promise', Promise.resolve({ accessKeyId: 'AKID', secretAccessKey: 'secret' })],
  ],
  beacons: [
    ...anything,
    ['a text', 'shop-beacons'],
    ['without a region', { table: 'shop-beacons' }],
    ['without a table', { region: 'us-west-2' }],
    ['a table that no service knows', { table: 'a b', region: 'us-west-2' }],
    ['a number for a region', { table: 'shop-beacons', region: 5 }],
    ['an empty domain', { table: 'shop-beacons', region: 'us-west-2', domain: '' }],
    ['a long domain', { table: 'shop-beacons', region: 'us-west-2', domain: 'x'.repeat(65) }],
    ['no URL', { table: 'shop-beacons', region: 'us-west-2', endpoint: 'localhost' }],
    ...[5, null, [], {}, { dynamodb: 'localhost' }, { sts: 5 }, { dynamoDB: 'https://example.com' }].map(
      (endpoint): Case => [
        `the endpoint ${JSON.stringify(endpoint)}`,
        { table: 'shop-beacons', region: 'us-west-2', endpoint },
      ],
    ),
  ],
  proxy: [
    ...anything,
    ['a host without a protocol', 'proxy.example.com:3128'],
    ['a protocol that is not HTTP', 'socks5://proxy.example.com'],
    ['an empty text', ''],
  ],
  lookup: noFunction,
  transport: [...anything, ['an unknown one', 'toString']],
  encoding: [...anything, ['an unknown one', 'xml']],
  order: [...anything, ['an unknown one', 'constructor']],
  acknowledge: [...anything, ['an unknown one', 'written'], ['spooled without a spool', 'spooled']],
  envelope: [...anything, ['a text', 'true'], ['a number', 1]],
  random: [
    ...noFunction,
    ['a function that throws', throws],
    ['a function that returns 1', () => 1],
    ['a function that returns NaN', () => Number.NaN],
    ['a function that returns a text', () => '0.5'],
  ],
  spool: [
    ...anything,
    ['a text', '/tmp'],
    ['without a directory', {}],
    ['a number for a directory', { directory: 5 }],
    ['a directory that no system has', { directory: 'a\0b' }],
    ['a text for its size', { directory: 'never', maxBytes: '1 GiB' }],
    ['a size that is too small', { directory: 'never', maxBytes: 5 }],
    ['a time that is no number', { directory: 'never', afterMs: Number.NaN }],
  ],
};

describe('the options of a producer', () => {
  it.each(Object.keys(wrong))('refuse each wrong value of `%s`, and name it', (name) => {
    for (const [what, value] of wrong[name] ?? []) {
      const options = { ...valid, [name]: value };
      expect(() => create(options), what).toThrow(ProducerConfigError);
      expect(() => create(options), what).toThrow(name === 'spool' ? /spool/i : new RegExp(name));
    }
  });

  it.each(Object.keys(wrong))('refuse `%s` when it cannot be read', (name) => {
    const options = Object.defineProperty({ ...valid }, name, { get: throws });
    expect(() => create(options)).toThrow(ProducerConfigError);
  });

  it.each<Case>([...anything, ['undefined', undefined], ['a text', 'x']])(
    'refuse %s instead of an object',
    (_name, options) => {
      expect(() => create(options)).toThrow(ProducerConfigError);
    },
  );

  it.each([
    ['servers', [[], [5], ['not an address'], 'dns', null]],
    ['pollMs', noNumber.map(([, value]) => value)],
    ['timeoutMs', [...noNumber.map(([, value]) => value), 2 ** 31]],
  ])('refuse each wrong value of `signal.%s`', (name, values) => {
    for (const value of values) {
      const signal = { ...valid.signal, [name]: value };
      expect(() => create({ ...valid, signal })).toThrow(ProducerConfigError);
    }
  });

  it('refuse what a timer cannot wait for, as it would not wait at all', () => {
    for (const name of ['lingerMs', 'requestTimeoutMs', 'retryMaxMs']) {
      expect(() => create({ ...valid, [name]: 2 ** 31 })).toThrow(/the longest a timer can wait/);
    }
    expect(() => create({ ...valid, deliveryTimeoutMs: Number.MAX_SAFE_INTEGER })).not.toThrow();
  });

  it('name the ARN as the place of an ARN, and refuse two streams for one region', () => {
    const streamName = { 'us-east-1': arnIn('us-east-1') };
    expect(() => create({ ...valid, streamName })).toThrow(/a name, not an ARN: give the ARN in `streamArn`/);
    const streamArn = { 'us-east-1': arnIn('us-east-1') };
    expect(() => create({ ...valid, streamArn, streamName: 'orders' })).not.toThrow();
    expect(() => create({ ...valid, streamArn, streamName: 'clicks' })).toThrow(/two streams in us-east-1/);
    const wrongRegion = { 'us-east-1': arnIn('us-west-2') };
    expect(() => create({ ...valid, streamArn: wrongRegion })).toThrow(
      /is in us-west-2: give the ARN of the stream in us-east-1/,
    );
  });

  it('are read once, and cannot be changed afterwards', async () => {
    vi.stubEnv('SPILLWAY_REGION', 'us-east-1');
    let looks = 0;
    const streams = { 'us-east-1': 'orders' };
    const options = {
      ...valid,
      streamName: streams,
      get order() {
        looks++;
        return 'perKey';
      },
    };
    const sent: string[] = [];
    const transport: Transport = {
      ...accepting,
      send: (batch) => {
        sent.push(batch.stream);
        return accepting.send(batch);
      },
    };
    const producer = new FailoverProducer(options as ProducerOptions, { transport });
    open.push(producer);
    streams['us-east-1'] = 'another';
    await producer.put({ partitionKey: 'k', data: 'x' });
    expect({ looks, sent }).toEqual({ looks: 1, sent: ['orders'] });
  });

  it('may have undefined where nothing is given, and what nobody knows', () => {
    const nothing = Object.fromEntries(
      [...numbers, 'endpoint', 'spool', 'random'].map((name) => [name, undefined]),
    );
    expect(() => create({ ...valid, ...nothing, extra: Symbol('s') })).not.toThrow();
  });

  it('may have a `random` that fails later on', async () => {
    vi.stubEnv('SPILLWAY_REGION', 'us-east-1');
    let asked = 0;
    let failures = 0;
    const transport: Transport = {
      ...accepting,
      async send(batch) {
        if (++failures < 6) throw new Error('the region is down');
        return accepting.send(batch);
      },
    };
    const random = () => (++asked === 1 ? 0 : throws());
    const options = { ...valid, streamName: 'orders', random, retryMaxMs: 5 };
    const producer = new FailoverProducer(options, { transport });
    open.push(producer);
    await expect(producer.put({ partitionKey: 'k', data: 'x' })).resolves.toBeDefined();
    expect(asked).toBeGreaterThan(1);
  });
});

describe('the options of `followSignal`', () => {
  const client = new KinesisClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
  });
  const shared = [
    'signal',
    'regions',
    'streamName',
    'streamArn',
    'accounts',
    'endpoint',
    'beacons',
    'proxy',
    'lookup',
  ];
  const own: Readonly<Record<string, readonly Case[]>> = {
    firstSignalTimeoutMs: noNumber,
    createClient: noFunction,
    onProblem: noFunction,
  };

  it.each([...shared, ...Object.keys(own)])('refuse each wrong value of `%s`', (name) => {
    for (const [what, value] of own[name] ?? wrong[name] ?? []) {
      const options = { ...valid, [name]: value } as unknown as FollowSignalOptions;
      expect(() => followSignal(client, options), what).toThrow(ProducerConfigError);
    }
  });

  it.each(anything)('refuse %s instead of a client', (_name, given) => {
    expect(() => followSignal(given as KinesisClient, valid)).toThrow(ProducerConfigError);
  });
});
