import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpointsInWords } from '../../lambda/core/endpoint-findings.ts';
import { type CheckedEndpoints, type EndpointId, endpointPath } from '../../lambda/core/endpoint-items.ts';
import { SWITCHES_A_ROUND } from '../../lambda/core/endpoint-rounds.ts';
import { EndpointWatch } from '../../lambda/monitor/endpoint-watch.ts';
import { StateUnavailableError } from '../../lib/state/errors.ts';

const MINUTE_MS = 60_000;
const GROUPS = 2 * SWITCHES_A_ROUND;
const deployed: readonly EndpointId[] = [
  { kind: 'vote', of: 'us-west-2' },
  ...Array.from({ length: GROUPS }, (_, n) => ({ kind: 'switch' as const, of: `g${n}` })),
];

let server: Server;
let asked: string[];
/** Paths that answer nothing of ours. */
let broken: Set<string>;
beforeEach(async () => {
  asked = [];
  broken = new Set();
  server = createServer(({ url = '' }, response) => {
    asked.push(url);
    if (broken.has(url)) response.writeHead(403).end();
    else response.end(url === '/vote' ? 'vote=HOLD' : 'switch=PRIMARY');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function world(change: Partial<CheckedEndpoints> = {}) {
  const state = { nowMs: 40 * MINUTE_MS, answers: true };
  const endpoints = deployed.map((id) => ({
    ...id,
    host: 'abc.example.com',
    path: endpointPath(id),
    checkId: id.of,
    atMs: 1,
  }));
  const watch = new EndpointWatch({
    deployed,
    limits: { parallel: 12, timeoutMs: 2_000, beginWithinMs: 5_000 },
    nowMs: () => state.nowMs,
    origin: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    state: {
      readEndpoints: async () => {
        if (!state.answers) throw new StateUnavailableError('throttled');
        return { endpoints, damaged: [], ...change };
      },
    },
  });
  /** One round, a minute later than the last. */
  const look = async () => {
    asked = [];
    state.nowMs += MINUTE_MS;
    const item = { vote: 'HOLD', decidedAtMs: state.nowMs, expiresAtMs: state.nowMs + 30_000 };
    const found = await watch.look(async () => ({
      votes: new Map([['us-west-2', item]]),
      switches: new Map(),
    }));
    return found === undefined ? 'not known' : endpointsInWords(found);
  };
  return { state, look };
}

describe('the watch over the endpoints', () => {
  it('asks the vote in each round, and the switches in turn', async () => {
    const { look } = world();
    expect(await look()).toBe(`${SWITCHES_A_ROUND + 1} agrees`);
    const first = new Set(asked);
    expect(await look()).toBe(`${SWITCHES_A_ROUND + 1} agrees`);
    expect(new Set([...first, ...asked]).size).toBe(GROUPS + 1);
    expect(asked).toContain('/vote');
  });

  it('asks one in trouble again in each round until it is well', async () => {
    const { look } = world();
    broken.add('/cells/g0');
    // One of two rounds asks it in turn.
    const both = [await look(), await look()];
    expect(both.filter((words) => words.startsWith('switch g0 refused (status 403)'))).not.toEqual([]);
    for (const _round of [1, 2]) expect(await look()).toMatch(/^switch g0 refused \(status 403\)/);
    broken.clear();
    expect(await look()).toMatch(/^\d+ agrees$/);
    const rounds = [await look(), await look()];
    expect(rounds).toEqual([`${SWITCHES_A_ROUND + 1} agrees`, `${SWITCHES_A_ROUND + 1} agrees`]);
  });

  it('names what is damaged and counts what no deployment has recorded, and asks neither', async () => {
    const { look } = world({ endpoints: [], damaged: ['vote#us-west-2'] });
    expect(await look()).toBe(`vote us-west-2 damaged; ${GROUPS} missing`);
    expect(asked).toEqual([]);
  });

  it('knows nothing while the state table does not answer', async () => {
    const { look, state } = world();
    state.answers = false;
    expect(await look()).toBe('not known');
    expect(asked).toEqual([]);
  });
});
