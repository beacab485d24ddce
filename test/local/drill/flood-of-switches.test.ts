import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { defaultRegions } from '../../../lib/config/defaults.ts';
import { latchIn, REQUESTS_PER_UNIT } from '../../../lib/endpoint/flood.ts';
import { sendFlood } from '../../../lib/local/drill/flood-requests.ts';
import { type FaultProxy, startFaultProxy } from '../../../lib/local/proxy/fault-proxy.ts';
import { createDataPlane, type DataPlane } from '../../../lib/route53/data-plane.ts';
import { checkerRegions, type EndpointCheck } from '../../../lib/route53/health-check.ts';
import { createZone } from '../../../lib/route53/records.ts';
import { designChecks, designRecords, signalName, switchCheck, zoneName } from '../../route53/design-tree.ts';

/** In place of ten seconds. Everything else is as in a drill: real checkers, the real proxy, real DNS answers. */
const INTERVAL_MS = 200;
const FLOOD = 300;
/** What sixteen checkers ask at that interval. */
const CHECKERS = Math.ceil((16 * 1_000) / INTERVAL_MS);
const hostOf = ({ id }: Pick<EndpointCheck, 'id'>): string =>
  `${id.replaceAll('-', '')}.lambda-url.us-west-2.localhost:4566`;

let gateway: Server;
let proxy: FaultProxy;
let plane: DataPlane;
let changed: string[];

beforeEach(async () => {
  changed = [];
  // The votes of a primary that is well, and a switch that holds.
  gateway = createServer(({ url }, response) =>
    response.end(url === '/vote' ? 'vote=HOLD' : 'switch=STANDBY'),
  );
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  proxy = await startFaultProxy({
    target: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
    roles: defaultRegions,
    sources: checkerRegions,
    random: Math.random,
    now: Date.now,
  });
  plane = await createDataPlane({
    reading: { zone: createZone(zoneName, designRecords), checks: designChecks, checkNames: new Map() },
    originFor: (check, region) => ({ origin: new URL(proxy.endpointFor(region)), hostHeader: hostOf(check) }),
    intervalMs: () => INTERVAL_MS,
    propagationMs: 0,
    now: Date.now,
    random: Math.random,
    onHealthChange: ({ healthCheckId, healthy }) => {
      if (healthCheckId === switchCheck.id) changed.push(healthy ? 'released' : 'held');
    },
  });
  // Inverted checks begin unhealthy: it is the quorum that has to become healthy, or it would hold traffic too.
  await vi.waitFor(() => expect(plane.isHealthy('quorum')).toBe(true), { timeout: 10_000 });
  changed = [];
});
afterEach(async () => {
  await plane.close();
  await proxy.close();
  gateway.closeAllConnections();
  gateway.close();
});

const region = (): string => /region=([a-z0-9-]+)/.exec(plane.answer(signalName, 'TXT').join(''))?.[1] ?? '';

async function flooded(reserved: number, forMs: number): Promise<void> {
  expect(region()).toBe('us-west-2');
  const host = hostOf(switchCheck);
  proxy.limitRequests(host, reserved * REQUESTS_PER_UNIT);
  const signal = new AbortController().signal;
  const paths = [switchCheck.resourcePath];
  await sendFlood({ origin: proxy.floodOrigin, host, paths, requestsPerSecond: FLOOD, forMs, signal });
  proxy.limitRequests(host, undefined);
}

it('a flood that the reserve nearly takes leaves a latch as it is', async () => {
  const reserved = 30;
  expect(latchIn({ reserved, requestsPerSecond: FLOOD + CHECKERS })).toBe('holds');
  await flooded(reserved, 15 * INTERVAL_MS);
  expect(changed).toEqual([]);
  expect(region()).toBe('us-west-2');
});

it('a flood that is five times the reserve ends a latch, and when it is over the switch holds again', async () => {
  const reserved = 7;
  expect(latchIn({ reserved, requestsPerSecond: FLOOD + CHECKERS })).toBe('ends');
  await flooded(reserved, 30 * INTERVAL_MS);
  expect(changed[0]).toBe('released');
  await vi.waitFor(() => expect(region()).toBe('us-west-2'), { timeout: 10_000 });
  expect(changed.at(-1)).toBe('held');
});
