import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import type { Deployment } from './expected.ts';

export const ACCOUNT = '123456789012';

const keyIds = { orders: 1, drill: 2, tables: 3 } as const;
const key = (region: string, of: keyof typeof keyIds): string =>
  `arn:aws:kms:${region}:${ACCOUNT}:key/00000000-0000-4000-8000-00000000000${keyIds[of]}`;

/** Little is asked for. */
const plain: ConfigInput = {
  name: 'shop',
  zone: { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' },
  cells: [{ name: 'orders', stream: { name: 'orders', existing: true } }],
};

/** Everything that brings a right is asked for, and streams and tables have keys. */
const full: ConfigInput = {
  ...plain,
  beacons: true,
  drill: { cell: 'drill' },
  policy: { siblingProbes: ['cognito', 'lambda', 'sqs'] },
  cells: [
    {
      name: 'orders',
      stream: {
        name: 'orders',
        existing: true,
        kmsKeyArn: { primary: key('us-east-1', 'orders'), standby: key('us-west-2', 'orders') },
      },
      probe: 'always',
    },
    { name: 'clicks', stream: { name: 'clicks', existing: true } },
    {
      name: 'drill',
      streams: {
        primary: { name: 'rehearsal', shards: 1, kmsKeyArn: key('us-east-1', 'drill') },
        standby: { name: 'rehearsal-west', shards: 1, kmsKeyArn: key('us-west-2', 'drill') },
      },
      probe: 'never',
    },
  ],
};
/** Streams of another account beside one of this. */
const elsewhere: ConfigInput = {
  ...plain,
  cells: [
    {
      name: 'orders',
      streams: {
        primary: { arn: 'arn:aws:kinesis:us-east-1:999999999999:stream/orders' },
        standby: { arn: 'arn:aws:kinesis:us-west-2:999999999999:stream/orders-west' },
      },
    },
    { name: 'clicks', stream: { name: 'clicks', existing: true } },
  ],
};
const tableKeys = Object.fromEntries(
  ['us-west-2', 'us-east-2', 'eu-west-1'].map((region) => [region, key(region, 'tables')]),
);

const parsed = (input: ConfigInput): Deployment => ({ config: parseConfig(input, 'test'), account: ACCOUNT });

export const deployments = {
  plain: parsed(plain),
  full: { ...parsed(full), encryptionKeyArns: tableKeys },
  elsewhere: parsed(elsewhere),
} as const satisfies Readonly<Record<string, Deployment>>;
