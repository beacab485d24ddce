import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatStreamArn, isAccountId, parseStreamArn } from '../../lambda/core/stream-arn.ts';

describe('the ARN of a stream', () => {
  it('survives a round trip', () => {
    const parts = fc.record({
      partition: fc.constantFrom('aws', 'aws-cn', 'aws-us-gov'),
      region: fc.constantFrom('us-east-1', 'ap-southeast-10'),
      account: fc.stringMatching(/^\d{12}$/),
      name: fc.stringMatching(/^[A-Za-z0-9_.-]{1,128}$/),
    });
    fc.assert(
      fc.property(parts, (arn) => {
        expect(parseStreamArn(formatStreamArn(arn))).toEqual(arn);
      }),
    );
  });

  it.each([
    'orders',
    'arn:aws:kinesis:us-east-1:111122223333:stream/orders/consumer/c:1',
    'arn:aws:kinesis:us-east-1:1111:stream/orders',
    'arn:aws:kinesis:us-east-1::stream/orders',
    'arn:aws:kinesis::111122223333:stream/orders',
    'arn:aws:firehose:us-east-1:111122223333:deliverystream/orders',
    'arn:aws:kinesis:us-east-1:111122223333:stream/',
    'arn:aws:kinesis:us-east-1:111122223333:stream/orders\n',
    `arn:aws:kinesis:us-east-1:111122223333:stream/${'x'.repeat(129)}`,
    '',
  ])('is not %j', (text) => {
    expect(parseStreamArn(text)).toBeUndefined();
  });

  it('has an account of twelve digits', () => {
    expect(isAccountId('000000000000')).toBe(true);
    for (const text of ['', '12345678901', '1234567890123', '12345678901a'])
      expect(isAccountId(text)).toBe(false);
  });
});
