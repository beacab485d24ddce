import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../lib/config/parse.ts';
import { checkLabel } from '../../../lib/local/drill/check-label.ts';
import type { HealthCheck } from '../../../lib/route53/health-check.ts';

const input = {
  name: 'shop',
  zone: { id: 'Z1', name: 'example.com' },
  cells: [{ name: 'orders', group: 'trade', stream: 'orders' }],
};
const config = parseConfig(input, 'test');

const endpoint = (resourcePath: string): HealthCheck => ({
  id: 'abc',
  kind: 'endpoint',
  type: 'HTTPS_STR_MATCH',
  searchString: 'x',
  inverted: true,
  disabled: false,
  fqdn: 'a1b2.lambda-url.eu-west-1.on.aws',
  port: 443,
  resourcePath,
  requestIntervalSeconds: 10,
  failureThreshold: 1,
  regions: [],
  enableSni: true,
});
const quorum: HealthCheck = {
  id: 'abc',
  kind: 'calculated',
  inverted: false,
  disabled: false,
  children: [],
  healthThreshold: 2,
};
const label = (check: HealthCheck, name?: string): string =>
  checkLabel(
    { id: 'abc', kind: check.kind, healthy: true, check, ...(name === undefined ? {} : { name }) },
    config,
  );

describe('the timeline', () => {
  it('calls a check by its Name tag, or else by what it is for', () => {
    expect(label(quorum, 'mine')).toBe('mine');
    expect(label(quorum)).toBe('shop quorum');
    expect(label(endpoint('/vote'))).toBe('shop vote eu-west-1');
    expect(label(endpoint('/cells/trade'))).toBe('shop switch trade');
    expect(label(endpoint('/other'))).toBe('abc');
  });
});
