import { describe, expect, it } from 'vitest';
import { deployments, synthesised } from '../permissions/deployments.ts';

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
