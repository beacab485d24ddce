import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AwsClients } from '../../lib/operate/clients.ts';
import { RefusedError } from '../../lib/operate/errors.ts';
import type { ProveContext } from '../../lib/prove/context.ts';
import { awsPorts } from '../../lib/prove/health-check/aws-ports.ts';
import { clean, clearLeftovers } from '../../lib/prove/health-check/clear.ts';
import { placeOf } from '../../lib/prove/health-check/leftovers.ts';
import { callerReference } from '../../lib/prove/health-check/names.ts';
import { type HealthCheckPorts, RecordsRefusedError } from '../../lib/prove/health-check/watch.ts';
import { config } from '../operate/fixtures/readings.ts';
import { type FakeRoute53Server, startFakeRoute53 } from './fake-route53.ts';

const NOW_MS = 1_790_000_000_000;
const HOUR_MS = 3_600_000;
const id = '0a1b2c3d-0000-4000-8000-000000000000';
const asks = { host: 'a.example.net', path: '/cells/drill', text: 'switch=STANDBY' };
let fake: FakeRoute53Server;
let clients: AwsClients;
let context: ProveContext;

beforeEach(async () => {
  fake = await startFakeRoute53();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  clients = new AwsClients({ who: 'test', timeoutMs: 3_000, endpoint: fake.url, credentials });
  context = {
    ...{ id, config, clients, owner: 'ana', reason: 'test', rehearsing: false },
    signal: new AbortController().signal,
    nowMs: () => NOW_MS,
    say: (text) => void said.push(text),
  };
});
const said: string[] = [];
afterEach(async () => {
  said.length = 0;
  clients.destroy();
  await fake.close();
});

/** Without a network there are no name servers to be found: a dry run asks none, and its clients are real here. */
const ports = (): Promise<HealthCheckPorts> =>
  awsPorts({
    context: { ...context, rehearsing: true },
    place: placeOf(context),
    switchCheckId: 'switch-check',
    ttlSeconds: 5,
  });
const stranger = (name: string, value: string) =>
  `<ResourceRecordSet><Name>${name}</Name><Type>TXT</Type><TTL>5</TTL><ResourceRecords><ResourceRecord><Value>"${value}"</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>`;

describe('the ports', () => {
  test('create a check and the tree of a signal, read reports, and delete what they made', async () => {
    const made = await ports();
    const checkId = await made.createCheck(asks);
    await made.createRecords(checkId);
    expect([...fake.checks]).toEqual([['check-1', `shop-prove-${NOW_MS}-0a1b2c3d`]]);
    const own = 'prove-shop.shop.example.com.';
    expect([...fake.records.keys()]).toEqual([
      `primary.${own} TXT only`,
      `${own} TXT primary`,
      `${own} TXT standby`,
    ]);
    const [target, alias, standby] = [...fake.records.values()];
    expect(target).toMatch(/<HealthCheckId>check-1<\/HealthCheckId>/);
    expect(alias).toMatch(/<HealthCheckId>switch-check<\/HealthCheckId>/);
    expect(alias).toMatch(/<EvaluateTargetHealth>true<\/EvaluateTargetHealth>/);
    expect(standby).not.toMatch(/HealthCheckId/);
    await made.changeCheck(checkId, { ...asks, text: 'switch=PRIMARY' });
    expect(fake.updates).toEqual([expect.stringMatching(/<SearchString>switch=PRIMARY<\/SearchString>/)]);
    expect(await made.reports(checkId)).toEqual([
      {
        checker: 'us-east-1 192.0.2.1',
        region: 'us-east-1',
        status: 'Success: HTTP Status Code 200, OK',
        checkedAtMs: Date.parse('2026-11-25T03:00:00Z'),
      },
      { checker: 'eu-west-1 192.0.2.2', region: 'eu-west-1', status: undefined, checkedAtMs: undefined },
    ]);
    await clean(context);
    expect([fake.checks.size, fake.records.size]).toEqual([0, 0]);
    // A check cannot be deleted while a record refers to it.
    expect(fake.calls.slice(-2)).toEqual(['POST rrset', 'DELETE healthcheck']);
  });

  test('tell a refusal of the records from a failure', async () => {
    const made = await ports();
    const checkId = await made.createCheck(asks);
    fake.fail = (call) => (call === 'POST rrset' ? { status: 400, code: 'InvalidChangeBatch' } : undefined);
    await expect(made.createRecords(checkId)).rejects.toThrow(RecordsRefusedError);
    fake.fail = (call) => (call === 'POST rrset' ? { status: 400, code: 'AccessDenied' } : undefined);
    await expect(made.createRecords(checkId)).rejects.not.toThrow(RecordsRefusedError);
  });

  test('take a look that fails for no answer, and a check that cannot be tagged for a check', async () => {
    fake.fail = (call) => (/tags|status/.test(call) ? { status: 400, code: 'AccessDenied' } : undefined);
    const made = await ports();
    expect(await made.createCheck(asks)).toBe('check-1');
    expect(await made.reports('check-1')).toBeUndefined();
    expect(said).toEqual([expect.stringMatching(/could not be tagged/)]);
  });
});

describe('what an earlier run has left', () => {
  const leave = (name: string, ageMs: number, check = 'old') =>
    fake.checks.set(check, callerReference(name, { id, atMs: NOW_MS - ageMs }));

  test('is deleted once it is old, and nothing of anybody else', async () => {
    leave('shop', HOUR_MS);
    leave('shop-2', HOUR_MS, 'of-another-deployment');
    fake.checks.set('vote', 'a-reference-of-cloudformation');
    fake.records.set('signal', stranger('signal.orders.shop.example.com.', 'v=1; region=us-east-1'));
    fake.records.set(
      'prove-shop.shop.example.com. TXT ',
      stranger('prove-shop.shop.example.com.', 'spillway-prove=standby'),
    );
    await clearLeftovers(context);
    expect([...fake.checks.keys()]).toEqual(['of-another-deployment', 'vote']);
    expect([...fake.records.keys()]).toEqual(['signal']);
    expect(said).toEqual([expect.stringMatching(/1 health check and 1 record$/)]);
  });

  test('is somebody’s work while it is young: refused, with what to do', async () => {
    leave('shop', 60_000);
    const refused = clearLeftovers(context);
    await expect(refused).rejects.toThrow(RefusedError);
    await expect(refused).rejects.toThrow(/other-prove.*--clean/);
    expect(fake.checks.size).toBe(1);
    await clean(context);
    expect(fake.checks.size).toBe(0);
  });

  test('is not taken for ours where a record of the name holds something else', async () => {
    const name = 'prove-shop.shop.example.com.';
    fake.records.set(`${name} TXT `, stranger(name, 'v=spf1 -all'));
    await expect(clean(context)).rejects.toThrow(
      /prove-shop\.shop\.example\.com has a TXT record that is not/,
    );
    expect(fake.records.size).toBe(1);
  });

  test('where there is nothing, nothing is deleted', async () => {
    await clearLeftovers(context);
    expect(fake.calls).toEqual(['GET rrset', 'GET rrset', 'GET healthcheck']);
    expect(said).toEqual([]);
  });
});
