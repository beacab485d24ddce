import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BeaconItem, itemOf } from '../../../lambda/core/beacon-item.ts';
import { type BeaconCalls, beaconCalls } from '../../../lib/producer/beacons/beacon-calls.ts';
import type { BeaconOptions } from '../../../lib/producer/beacons/beacon-options.ts';
import { siblingEndpoint } from '../../../lib/producer/wire/endpoint.ts';
import { beacon } from '../../core/beacon-fixtures.ts';
import { denied, type FakeStandby, known, plainItem, startFakeStandby } from './fake-standby.ts';

let standby: FakeStandby;
let open: BeaconCalls[] = [];
beforeEach(async () => {
  standby = await startFakeStandby({ ...known, sessionToken: 'token' });
});
afterEach(async () => {
  for (const calls of open) calls.close();
  open = [];
  await standby.close();
});

function create(
  change: { readonly secretAccessKey?: string } = {},
  endpoint: BeaconOptions['endpoint'] = standby.url,
): BeaconCalls {
  const calls = beaconCalls({
    table: 'shop-beacons',
    region: 'us-west-2',
    endpoint,
    credentials: async () => ({ ...known, sessionToken: 'token', ...change }),
  });
  open.push(calls);
  return calls;
}
const item: BeaconItem = itemOf(beacon(1));

describe('the calls of a writer', () => {
  it('are signed for their service, and carry the item as it is', async () => {
    const calls = create();
    expect(await calls.source()).toBe('AROAEXAMPLE:task-1');
    await calls.put(item);
    expect(standby.items.map(plainItem)).toEqual([item]);
    standby.fleetEveryMs = 123_000;
    expect(await calls.fleetIntervalMs()).toBe(123_000);
    expect(standby.calls).toEqual(['GetCallerIdentity', 'PutItem', 'GetItem']);
  });

  it('are refused with the name of the exception, in JSON and in the XML of STS', async () => {
    standby.refuse = (operation) =>
      operation === 'GetCallerIdentity' ? { status: 403, type: 'InvalidClientTokenId' } : denied;
    const calls = create();
    await expect(calls.put(item)).rejects.toMatchObject({ name: 'AccessDeniedException', status: 400 });
    await expect(calls.source()).rejects.toMatchObject({ name: 'InvalidClientTokenId', message: 'refused' });
  });

  it('are refused with a wrong secret: the signature is looked at', async () => {
    const calls = create({ secretAccessKey: 'wrong' });
    await expect(calls.put(item)).rejects.toMatchObject({ name: 'InvalidSignatureException' });
    await expect(calls.source()).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  });

  it('are signed by the service’s clock, once it has refused that of this machine', async () => {
    standby.clockAheadMs = 3_600_000;
    const calls = create();
    await expect(calls.source()).rejects.toMatchObject({ name: 'InvalidSignatureException' });
    expect(await calls.source()).toBe('AROAEXAMPLE:task-1');
  });

  it('find no interval where nobody has written one', async () => {
    expect(await create().fleetIntervalMs()).toBeUndefined();
  });

  it('go to an endpoint for each service', async () => {
    const sts = await startFakeStandby({ ...known, sessionToken: 'token' });
    const calls = create({}, { dynamodb: standby.url, sts: sts.url });
    await calls.source();
    await calls.put(item);
    expect([standby.calls, sts.calls]).toEqual([['PutItem'], ['GetCallerIdentity']]);
    await sts.close();
  });

  it('end when they are closed', async () => {
    const calls = create();
    standby.refuse = () => 'hang';
    const hanging = expect(calls.put(item)).rejects.toThrow();
    calls.close();
    await hanging;
    await expect(calls.put(item)).rejects.toThrow();
  });
});

it.each([
  ['us-west-2', 'dynamodb', 'https://dynamodb.us-west-2.amazonaws.com/'],
  ['us-west-2', 'sts', 'https://sts.us-west-2.amazonaws.com/'],
  ['us-gov-west-1', 'sts', 'https://sts.us-gov-west-1.amazonaws.com/'],
  ['cn-north-1', 'dynamodb', 'https://dynamodb.cn-north-1.amazonaws.com.cn/'],
] as const)('the endpoint in %s of %s is %s', async (region, service, url) => {
  expect((await siblingEndpoint(region, service)).href).toBe(url);
});
