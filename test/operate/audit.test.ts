import { describe, expect, test } from 'vitest';
import type { Call } from '../../lib/aws/call-log.ts';
import { audit, parseCalls } from '../../lib/operate/audit.ts';

const call = (text: string): Call => {
  const [who = '', service = '', operation = '', region = '', endpoint] = text.split('|');
  return { who, service, operation, region, ...(endpoint === undefined ? {} : { endpoint }) };
};
const rulesOf = (...calls: readonly string[]) =>
  audit(calls.map(call), 'us-east-1').distinct.map(({ rule }) => rule);

describe('audit', () => {
  test.each([
    'observer us-west-2|kinesis|PutRecord|us-east-1',
    'observer|cloudwatch|GetMetricData|us-east-1',
    'observer us-west-2|dynamodb|PutItem|us-west-2',
    'survey|kinesis|DescribeStreamSummary|us-east-1',
    'survey|cloudwatch|GetMetricData|us-east-1',
    'survey|dynamodb|PutItem|us-west-2',
    'producer|kinesis|PutRecords|us-east-1',
    'producer|kinesis|DescribeStreamSummary|us-east-1',
    'producer|kinesis|ListShards|us-east-1',
    'conductor|dynamodb|PutItem|us-west-2',
    'cli failover|states|StartExecution|us-west-2',
    'cli failover|sts|GetCallerIdentity|us-west-2|sts.us-west-2.amazonaws.com',
    'vote|dynamodb|GetItem|us-east-2',
    'guard|route53|GetHealthCheckStatus|us-east-1',
    'cli doctor|route53|GetHostedZone|us-east-1',
  ])('lets %s through', (text) => {
    expect(rulesOf(text)).toEqual([]);
  });

  test.each([
    ['conductor|dynamodb|GetItem|us-east-1', 'primary-region'],
    ['conductor|kinesis|DescribeStreamSummary|us-east-1', 'primary-region'],
    ['observer us-west-2|dynamodb|GetItem|us-east-1', 'primary-region'],
    ['producer|kinesis|GetRecords|us-east-1', 'primary-region'],
    ['monitor|cloudwatch|GetMetricData|us-east-1', 'primary-region'],
    ['survey|kinesis|GetRecords|us-east-1', 'primary-region'],
    ['survey|cloudwatch|PutMetricData|us-east-1', 'primary-region'],
    ['survey|dynamodb|GetMetricData|us-east-1', 'primary-region'],
    ['survey|kinesis|UpdateShardCount|us-west-2', 'deployment'],
    ['cli failover|route-53|ChangeResourceRecordSets|us-east-1', 'route53-control-plane'],
    ['observer|route53|GetHealthCheckStatus|us-east-1', 'route53-control-plane'],
    ['guard|route53|UpdateHealthCheck|us-east-1', 'route53-control-plane'],
    ['conductor|iam|PassRole|us-east-1', 'global-control-plane'],
    ['conductor|wafv2|UpdateWebACL|us-east-1', 'global-control-plane'],
    ['cli failover|sts|GetCallerIdentity|us-west-2|sts.amazonaws.com', 'global-sts'],
    ['conductor|s3|PutBucketPolicy|us-west-2', 's3-bucket-configuration'],
    ['conductor|lambda|CreateFunctionUrlConfig|us-west-2', 'creates-dns-name'],
    [
      'conductor|route53-recovery-control-config|UpdateRoutingControlState|us-west-2',
      'us-west-2-control-plane',
    ],
    ['conductor|cloudformation|DescribeStacks|us-west-2', 'deployment'],
    ['conductor|kinesis|UpdateShardCount|us-west-2', 'deployment'],
    ['nobody we know|dynamodb|GetItem|us-east-1', 'primary-region'],
  ])('%s is a violation of %s', (text, rule) => {
    expect(rulesOf(text)).toEqual([rule]);
  });

  test('counts every call, and shows each kind once', () => {
    const calls = Array(3).fill(call('conductor|dynamodb|GetItem|us-east-1'));
    const probes = Array(4).fill(call('observer|kinesis|PutRecord|us-east-1'));
    expect(audit([...calls, ...probes, call('cli doctor|iam|GetUser|us-east-1')], 'us-east-1')).toMatchObject(
      {
        ok: false,
        calls: 8,
        onPath: 7,
        violations: 3,
        allowed: { probe: 4 },
        distinct: [{ times: 3 }],
      },
    );
  });

  test('the primary is whichever region the config names', () => {
    const calls = [call('conductor|dynamodb|GetItem|eu-west-1')];
    expect(audit(calls, 'eu-west-1').ok).toBe(false);
    expect(audit(calls, 'us-east-1').ok).toBe(true);
  });

  test('a line that is no call is refused with its number', () => {
    const good = '{"service":"a","operation":"b","region":"c","who":"d"}';
    expect(parseCalls(`${good}\n\n${good}\n`, 'f')).toHaveLength(2);
    expect(() => parseCalls(`${good}\n{"service":"a"}`, 'f')).toThrow(/f, line 2/);
  });
});

test('what the checkers of Route 53 ask the endpoints is not counted as an AWS call', () => {
  const asked = {
    who: 'us-east-1',
    service: 'lambda',
    operation: 'InvokeFunctionUrl',
    region: 'us-west-2',
  };
  const stored = { who: 'switch', service: 'dynamodb', operation: 'Query', region: 'us-west-2' };
  expect(audit([asked, stored, asked], 'us-east-1')).toMatchObject({
    calls: 1,
    onPath: 1,
    checkerRequests: 2,
  });
});
