import { readFileSync } from 'node:fs';
import { Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { deployedFrom, type Policy } from '../permissions/deployed.ts';
import { ACCOUNT, deployments } from '../permissions/deployments.ts';
import { isAllowed } from '../permissions/judge.ts';
import { synthesised } from '../permissions/synthesised.ts';
import { appOf, input } from './synth.ts';

const stacks = synthesised(deployments.full);
const resources = (stack: string, type: string) =>
  Object.values(stacks.find((one) => one.stack === stack)?.template.Resources ?? {}).filter(
    ({ Type }) => Type === type,
  );

describe('a key of a stream', () => {
  it.each([
    ['shop-primary', 'us-east-1', 'rehearsal'],
    ['shop-standby', 'us-west-2', 'rehearsal-west'],
  ])('encrypts what Spillway creates, each region with its own: %s', (stack, region, name) => {
    const [stream] = resources(stack, 'AWS::Kinesis::Stream').filter(
      ({ Properties }) => Properties?.Name === name,
    );
    expect(stream?.Properties?.StreamEncryption).toEqual({
      EncryptionType: 'KMS',
      KeyId: expect.stringMatching(new RegExp(`^arn:aws:kms:${region}:123456789012:key/`)),
    });
  });

  it('leaves streams alone that exist, and the canaries', () => {
    for (const stack of ['shop-primary', 'shop-standby']) {
      const streams = resources(stack, 'AWS::Kinesis::Stream');
      expect(
        streams.some(({ Properties }) => Properties?.Name === 'orders'),
        stack,
      ).toBe(false);
      const [canary] = streams.filter(({ Properties }) => Properties?.Name === 'shop-canary');
      expect(canary?.Properties?.StreamEncryption, stack).toEqual({
        EncryptionType: 'KMS',
        KeyId: 'alias/aws/kinesis',
      });
    }
  });
});

describe('the statement of a key policy in docs/permissions.md', () => {
  const region = 'us-west-2';
  const [, text = ''] = /```json\n([\s\S]*?)```/.exec(readFileSync('docs/permissions.md', 'utf8')) ?? [];
  const statement = JSON.parse(
    text.replaceAll('REGION', region).replaceAll('ACCOUNT', ACCOUNT).replaceAll('STREAM', 'orders'),
  );
  // The evaluator knows no keys of encryption contexts.
  const { StringLike, ...Condition } = statement.Condition;
  const Statement = [{ ...statement, Condition }];
  const resourcePolicy: Policy = { Version: '2012-10-17', Statement };
  const { roles } = deployedFrom(stacks, ACCOUNT);
  const policiesOf = (holder: string): readonly Policy[] =>
    roles.find((role) => role.region === region && role.holders.includes(holder))?.policies ?? [];
  const key = `arn:aws:kms:${region}:${ACCOUNT}:key/00000000-0000-4000-8000-000000000001`;
  const may = (holder: string, action: string, service = 'kinesis') =>
    isAllowed({
      account: ACCOUNT,
      action,
      resource: key,
      resourcePolicy,
      policies: policiesOf(holder),
      context: { 'kms:ViaService': `${service}.${region}.amazonaws.com` },
    });

  it('lets the observer put and the conductor read, through Kinesis alone', async () => {
    expect(await may('shop-observer', 'kms:GenerateDataKey')).toBe(true);
    expect(await may('shop-conductor', 'kms:Decrypt')).toBe(true);
    expect(await may('shop-observer', 'kms:Decrypt')).toBe(false);
    expect(await may('shop-conductor', 'kms:Decrypt', 's3')).toBe(false);
    expect(await may('shop-monitor', 'kms:Decrypt')).toBe(false);
    expect(StringLike).toEqual({
      'kms:EncryptionContext:aws:kinesis:arn': `arn:aws:kinesis:${region}:${ACCOUNT}:stream/orders`,
    });
  });
});

describe('a key that is given for one region of a cell alone', () => {
  const warnings = (kmsKeyArn: { readonly primary?: string; readonly standby?: string }): number => {
    const stream = { name: 'orders', existing: true, kmsKeyArn };
    const app = appOf({ ...input, cells: [{ name: 'orders', stream: stream as never }] });
    return app.node.children
      .filter((child) => child instanceof Stack)
      .flatMap((stack) =>
        Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('one region alone')),
      ).length;
  };
  const keyIn = (region: string) =>
    `arn:aws:kms:${region}:${ACCOUNT}:key/00000000-0000-4000-8000-000000000001`;

  it('is warned of once at synth, and is no error', () => {
    expect(warnings({ primary: keyIn('us-east-1') })).toBe(1);
    expect(warnings({ primary: keyIn('us-east-1'), standby: keyIn('us-west-2') })).toBe(0);
  });
});
