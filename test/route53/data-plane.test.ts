import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createDataPlane,
  type DataPlane,
  type LoadedDataPlaneOptions,
} from '../../lib/route53/data-plane.ts';
import { HealthCheckError } from '../../lib/route53/errors.ts';
import { createZone } from '../../lib/route53/records.ts';
import type { ZoneReading } from '../../lib/route53/source.ts';
import {
  designChecks,
  designRecords,
  endpointCheck,
  regionName,
  signalName,
  switchCheck,
  voteIds,
  zoneName,
} from './design-tree.ts';

const TIMEOUT_MS = 5_000;
const reading: ZoneReading = {
  zone: createZone(zoneName, designRecords),
  checks: designChecks,
  checkNames: new Map([['quorum', 'spillway-quorum']]),
};

/** One server for every endpoint: what it says depends on the Host header, as behind one gateway. */
const bodies = new Map<string, string>();
const hosts: string[] = [];
let endpoint: Server;
let origin: URL;
let plane: DataPlane | undefined;

beforeEach(async () => {
  bodies.clear();
  hosts.length = 0;
  endpoint = createServer((request, response) => {
    hosts.push(request.headers.host ?? '');
    response.end(bodies.get(request.headers.host ?? '') ?? 'vote=HOLD');
  });
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  origin = new URL(`http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`);
});
afterEach(async () => {
  await plane?.close();
  plane = undefined;
  endpoint.closeAllConnections();
  endpoint.close();
});

async function start(options: Partial<LoadedDataPlaneOptions> = {}) {
  plane = await createDataPlane({
    reading,
    originFor: (check) => ({ origin, hostHeader: check.fqdn ?? '' }),
    checkersPerRegion: 1,
    propagationMs: 0,
    intervalMs: () => 40,
    now: Date.now,
    random: Math.random,
    ...options,
  });
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([plane.dnsServer]);
  return { plane, resolver };
}
const regionOf = async (resolver: Resolver) =>
  /region=([a-z0-9-]+)/.exec((await resolver.resolveTxt(signalName)).flat().join(''))?.[1];
const until = (assertion: () => void | Promise<void>) =>
  vi.waitFor(assertion, { timeout: TIMEOUT_MS, interval: 20 });
const say = (id: string, text: string) => bodies.set(`${id}.example.net`, text);

describe('the data plane', () => {
  it('moves DNS to the standby on two of three votes, and back when one is withdrawn', async () => {
    const { plane, resolver } = await start();
    // Inverted checks start unhealthy, so a new tree starts in the standby.
    expect(await regionOf(resolver)).toBe('us-west-2');
    await until(async () => expect(await regionOf(resolver)).toBe('us-east-1'));

    say(voteIds[0], 'vote=EVACUATE');
    await until(() => expect(plane.isHealthy(voteIds[0])).toBe(false));
    expect(await regionOf(resolver)).toBe('us-east-1');

    say(voteIds[1], 'vote=EVACUATE');
    await until(async () => expect(await regionOf(resolver)).toBe('us-west-2'));
    expect(plane.answer(signalName, 'TXT')).toEqual(['v=1; region=us-west-2; stream=orders']);
    expect(plane.isHealthy('quorum')).toBe(false);

    say(voteIds[1], 'vote=HOLD');
    await until(async () => expect(await regionOf(resolver)).toBe('us-east-1'));
  });

  it('stays in the standby while the switch says so, whatever the votes', async () => {
    say(switchCheck.id, 'switch=STANDBY');
    const { plane, resolver } = await start();
    await until(() => expect(plane.isHealthy('quorum')).toBe(true));
    expect(await regionOf(resolver)).toBe('us-west-2');
    say(switchCheck.id, 'switch=PRIMARY');
    await until(async () => expect(await regionOf(resolver)).toBe('us-east-1'));
  });

  it('takes endpoints that cannot be reached as votes to hold', async () => {
    endpoint.close();
    endpoint.closeAllConnections();
    const { resolver } = await start();
    await until(async () => expect(await regionOf(resolver)).toBe('us-east-1'));
  });

  it('reports changes, statuses and queries', async () => {
    const changes: string[] = [];
    const onQuery = vi.fn();
    const { plane, resolver } = await start({
      onHealthChange: ({ healthCheckId, kind, healthy }) =>
        changes.push(`${healthCheckId} ${kind} ${healthy}`),
      onQuery,
    });
    await until(() => expect(plane.isHealthy(switchCheck.id)).toBe(true));
    expect(changes).toContain('quorum calculated true');
    expect(plane.healthChecks()).toContainEqual({
      id: 'quorum',
      name: 'spillway-quorum',
      kind: 'calculated',
      healthy: true,
      check: expect.objectContaining({ kind: 'calculated' }),
    });
    expect(plane.healthChecks()).toHaveLength(5);
    await regionOf(resolver);
    expect(plane.queries).toBe(1);
    expect(onQuery).toHaveBeenCalledWith(expect.objectContaining({ name: signalName, type: 'TXT' }));
  });

  it('lets answers follow a change of health after the propagation delay', async () => {
    let nowMs = 1_000_000;
    const { plane } = await start({ propagationMs: 2_000, now: () => nowMs });
    await until(() => expect(plane.isHealthy('quorum') && plane.isHealthy(switchCheck.id)).toBe(true));
    nowMs += 1_999;
    expect(plane.answer(signalName, 'TXT')).toEqual(['v=1; region=us-west-2; stream=orders']);
    nowMs += 1;
    expect(plane.answer(signalName, 'TXT')).toEqual(['v=1; region=us-east-1; stream=orders']);
  });

  it('runs on with its last reading while the API fails, and adopts the next good one', async () => {
    const errors: unknown[] = [];
    let failing = true;
    const renamed = designRecords.map((record) =>
      record.name === regionName
        ? { ...record, data: { kind: 'values' as const, ttlSeconds: 5, values: ['"v=2"'] } }
        : record,
    );
    const reload = async (): Promise<ZoneReading> => {
      if (failing) throw new Error('the API is down');
      return { ...reading, zone: createZone(zoneName, renamed) };
    };
    const { plane, resolver } = await start({
      reload,
      refreshMs: 20,
      onError: (error) => errors.push(error),
    });
    await until(async () => expect(await regionOf(resolver)).toBe('us-east-1'));
    await until(() => expect(errors.length).toBeGreaterThan(2));
    expect(plane.answer(regionName, 'TXT')).toEqual(['v=1; region=us-east-1']);
    failing = false;
    await until(() => expect(plane.answer(regionName, 'TXT')).toEqual(['v=2']));
    // The checkers kept their opinions: a new reading of the same checks does not start them again.
    expect(await regionOf(resolver)).toBe('us-east-1');
  });

  it('adopts a check that is new, in the status that new checks have', async () => {
    const added = endpointCheck('added', { inverted: false });
    const records = (['PRIMARY', 'SECONDARY'] as const).map((role) => ({
      name: 'added.example.com',
      type: 'TXT' as const,
      routing: { policy: 'failover' as const, role },
      ...(role === 'PRIMARY' && { healthCheckId: added.id }),
      data: { kind: 'values' as const, ttlSeconds: 5, values: [`"${role}"`] },
    }));
    const next: ZoneReading = {
      zone: createZone(zoneName, [...designRecords, ...records]),
      checks: [...designChecks, added],
      checkNames: new Map(),
    };
    say(added.id, 'vote=EVACUATE');
    const { plane } = await start({ reload: async () => next, refreshMs: 20 });
    await until(() => expect(plane.answer('added.example.com', 'TXT')).toEqual(['PRIMARY']));
    say(added.id, 'nothing');
    await until(() => expect(plane.answer('added.example.com', 'TXT')).toEqual(['SECONDARY']));
  });

  it('takes each checker region down its own path: one region of eight moves nothing, two do', async () => {
    const { plane } = await start({
      originFor: (check, region) => ({ origin, hostHeader: `${region}.${check.fqdn}` }),
    });
    await until(() => expect(plane.isHealthy(voteIds[0])).toBe(true));
    const turn = (region: string) => bodies.set(`${region}.${voteIds[0]}.example.net`, 'vote=EVACUATE');
    turn('sa-east-1');
    hosts.length = 0;
    await until(() =>
      expect(hosts.filter((host) => host === `sa-east-1.${voteIds[0]}.example.net`).length).toBeGreaterThan(
        2,
      ),
    );
    expect(plane.isHealthy(voteIds[0])).toBe(true);
    turn('eu-west-1');
    await until(() => expect(plane.isHealthy(voteIds[0])).toBe(false));
  });

  it('stops asking endpoints of checks that are gone', async () => {
    const withoutSwitch: ZoneReading = {
      zone: createZone(
        zoneName,
        designRecords.filter(
          (record) => record.healthCheckId !== switchCheck.id && record.data.kind !== 'alias',
        ),
      ),
      checks: designChecks.filter((check) => check.id !== switchCheck.id),
      checkNames: new Map(),
    };
    const reload = async () => withoutSwitch;
    const { plane } = await start({ reload, refreshMs: 100 });
    await until(() => expect(plane.healthChecks()).toHaveLength(4));
    const askedBefore = hosts.filter((host) => host.startsWith('switch')).length;
    const votesBefore = hosts.length;
    await until(() => expect(hosts.length).toBeGreaterThan(votesBefore + 50));
    // The 8 checkers may each have had one request on its way.
    expect(hosts.filter((host) => host.startsWith('switch')).length).toBeLessThanOrEqual(askedBefore + 8);
  });

  it('sends no request after it has been closed, even with answers outstanding', async () => {
    endpoint.removeAllListeners('request');
    endpoint.on('request', (request) => hosts.push(request.headers.host ?? ''));
    const { plane } = await start();
    await until(() => expect(hosts.length).toBeGreaterThan(10));
    const startMs = performance.now();
    await plane.close();
    expect(performance.now() - startMs).toBeLessThan(1_500);
    await until(async () => {
      expect(await new Promise((resolve) => endpoint.getConnections((_, count) => resolve(count)))).toBe(0);
    });
  });

  it('refuses records whose health checks it is not given', async () => {
    await expect(start({ reading: { ...reading, checks: designChecks.slice(0, 1) } })).rejects.toThrow(
      HealthCheckError,
    );
  });
});
