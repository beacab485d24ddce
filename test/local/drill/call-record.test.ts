import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Call } from '../../../lib/aws/call-log.ts';
import { CallRecord, unannounced } from '../../../lib/local/drill/call-record.ts';
import type { ProxiedCall } from '../../../lib/local/proxy/fault-proxy.ts';
import { audit } from '../../../lib/operate/audit.ts';

const proxied = (caller: string, service: string, operation: string, region = 'us-west-2'): ProxiedCall => ({
  caller,
  source: 'us-west-2',
  service,
  operation,
  region,
});
const written = (who: string, service: string, operation: string, region = 'us-west-2'): Call => ({
  who,
  service,
  operation,
  region,
  endpoint: '127.0.0.1',
});

it('takes a call that was written down and passed the proxy as one call', () => {
  const calls = [written('switch', 'dynamodb', 'GetItem'), written('conductor', 'sfn', 'StartExecution')];
  const seen = [proxied('switch', 'dynamodb', 'GetItem'), proxied('conductor', 'states', 'StartExecution')];
  expect(unannounced(calls, seen)).toEqual([]);
});

it('finds the second of two calls of which one was written down, and every call of who writes nothing', () => {
  const seen = [
    proxied('switch', 'dynamodb', 'GetItem'),
    proxied('switch', 'dynamodb', 'GetItem'),
    proxied('producer p1', 'kinesis', 'PutRecords'),
  ];
  expect(unannounced([written('switch', 'dynamodb', 'GetItem')], seen)).toEqual([
    { who: 'switch', service: 'dynamodb', operation: 'GetItem', region: 'us-west-2' },
    { who: 'producer p1', service: 'kinesis', operation: 'PutRecords', region: 'us-west-2' },
  ]);
});

it('knows the verbs of the CLI as what calls from the operator’s place', () => {
  expect(
    unannounced(
      [written('cli failover', 'dynamodb', 'Query')],
      [proxied('cli', 'dynamodb', 'Query'), proxied('cli', 'dynamodb', 'Query')],
    ),
  ).toHaveLength(1);
});

it('lets nobody hide: a call to the primary or to a control plane that nobody wrote down is a violation', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-calls-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'calls.jsonl');
  const record = new CallRecord(file);
  record.saw(proxied('observer us-east-2', 'dynamodb', 'GetItem'));
  await appendFile(file, `${JSON.stringify(written('observer us-east-2', 'dynamodb', 'GetItem'))}\n`);
  expect(audit(await record.calls(), 'us-east-1')).toMatchObject({ ok: true, calls: 1, violations: 0 });

  record.saw(proxied('conductor', 'dynamodb', 'GetItem', 'us-east-1'));
  record.saw(proxied('cli', 'route53', 'ChangeResourceRecordSets'));
  const report = audit(await record.calls(), 'us-east-1');
  expect(report).toMatchObject({ ok: false, calls: 3, violations: 2 });
  expect(report.distinct.map(({ rule }) => rule)).toEqual(['primary-region', 'route53-control-plane']);
});

it('of a world that is kept for hours holds no more than the drill itself', async () => {
  const record = new CallRecord('no such file');
  record.saw(proxied('producer p1', 'kinesis', 'PutRecords'));
  expect(await record.calls()).toHaveLength(1);
  record.end();
  record.saw(proxied('producer p1', 'kinesis', 'PutRecords'));
  expect(await record.calls()).toEqual([]);
});
