import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { addSpillway } from '../../lib/stacks/spillway.ts';
import type { StackTemplate } from './deployed.ts';
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

/** The templates of a deployment, as `cdk synth` makes them, but for the code of the functions. */
export function synthesised({ config, account, encryptionKeyArns }: Deployment): readonly StackTemplate[] {
  const outdir = mkdtempSync(join(tmpdir(), 'spillway-permissions-'));
  try {
    const app = new App({ outdir, context: { ...cdkJson.context, 'aws:cdk:bundling-stacks': [] } });
    addSpillway(app, config, { account, ...(encryptionKeyArns === undefined ? {} : { encryptionKeyArns }) });
    return app.node.children
      .filter((child) => child instanceof Stack)
      .map((stack) => ({
        stack: stack.stackName,
        region: stack.region,
        template: Template.fromStack(stack).toJSON() as StackTemplate['template'],
      }));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
