import { describe, expect, it } from 'vitest';
import { keyFindings, ownKeyId } from '../../lib/operate/doctor/stream-keys.ts';

const region = 'us-west-2';
const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
const arn = `arn:aws:kms:${region}:123456789012:key/${id}`;
const findings = (keyId: string | undefined, kmsKeyArn?: string, create = false) =>
  keyFindings({
    cell: 'orders',
    region,
    keyId,
    stream: { create, ...(kmsKeyArn === undefined ? {} : { kmsKeyArn }) },
  });

describe('the key of a stream', () => {
  it('that the config does not name is a finding, before records cannot be read', () => {
    expect(findings(arn)).toMatchObject([
      { ok: false, finding: expect.stringMatching(/encrypted with arn.*no role of Spillway may use/) },
    ]);
    expect(findings(arn)[0]?.fix).toMatch(/^Write kmsKeyArn .*that ARN/);
    for (const keyId of [id, 'alias/orders', `arn:aws:kms:${region}:123456789012:alias/orders`]) {
      expect(findings(keyId)[0]?.fix).toContain(`aws kms describe-key --region ${region} --key-id ${keyId}`);
    }
  });

  it('that the config names is well, however Kinesis names it', () => {
    for (const keyId of [arn, id, 'alias/orders']) expect(findings(keyId, arn)).toEqual([]);
    expect(findings(undefined)).toEqual([]);
  });

  it('is a finding where it is another one, or none', () => {
    expect(findings(arn.replace('1234abcd', 'ffffabcd'), arn)[0]?.finding).toMatch(/names another key/);
    expect(findings(undefined, arn)[0]?.fix).toMatch(/start-stream-encryption .*--key-id arn/);
    expect(findings(undefined, arn, true)[0]?.fix).toMatch(/cdk deploy/);
  });

  it('of Kinesis itself is nobody’s concern', () => {
    expect(ownKeyId('KMS', 'alias/aws/kinesis')).toBeUndefined();
    expect(ownKeyId('KMS', `arn:aws:kms:${region}:123456789012:alias/aws/kinesis`)).toBeUndefined();
    expect(ownKeyId('NONE', undefined)).toBeUndefined();
    expect(ownKeyId('KMS', arn)).toBe(arn);
  });
});
