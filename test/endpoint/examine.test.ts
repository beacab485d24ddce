import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EndpointFinding, endpointsInWords } from '../../lambda/core/endpoint-findings.ts';
import { type CheckedEndpoint, endpointPath } from '../../lambda/core/endpoint-items.ts';
import type { StoredPositions } from '../../lambda/core/endpoint-stored.ts';
import type { Position } from '../../lambda/core/switch.ts';
import { examineEndpoints } from '../../lib/endpoint/examine.ts';

const LIMITS = { parallel: 4, timeoutMs: 1_000, beginWithinMs: 5_000 };
let server: Server;
/** What the server says, by path; a group without a text gets no answer. */
let says: Map<string, string>;
let asked: string[];
let atOnce: number;
let mostAtOnce: number;
let whenAsked: () => void;

beforeEach(async () => {
  says = new Map();
  asked = [];
  atOnce = 0;
  mostAtOnce = 0;
  whenAsked = () => {};
  server = createServer((request, response) => {
    asked.push(String(request.url));
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    response.on('close', () => atOnce--);
    whenAsked();
    const text = says.get(String(request.url));
    if (text !== undefined) setTimeout(() => response.end(text), 5);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const groups = (count: number): CheckedEndpoint[] =>
  Array.from({ length: count }, (_, n) => {
    const id = { kind: 'switch', of: `g${n}` } as const;
    return { ...id, host: 'abc.example.com', path: endpointPath(id), checkId: id.of, atMs: 1 };
  });
const stored = (position: Position): StoredPositions => ({
  votes: new Map(),
  switches: new Map(groups(20).map(({ of }) => [of, { position }])),
});
const examine = (
  count: number,
  read: () => StoredPositions,
  limits = LIMITS,
): Promise<readonly EndpointFinding[]> =>
  examineEndpoints({
    endpoints: groups(count),
    stored: async () => read(),
    limits,
    nowMs: () => 1_800_000_000_000,
    origin: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
  });

describe('endpoints that are examined', () => {
  it('are asked once each, some at a time, and compared with what is stored', async () => {
    for (const { path } of groups(20)) says.set(path, 'switch=STANDBY');
    says.set('/cells/g3', 'switch=PRIMARY');
    const found = await examine(20, () => stored('STANDBY'));
    expect(endpointsInWords(found)).toBe(
      'switch g3 wrong (it says PRIMARY, and STANDBY is stored); 19 agrees',
    );
    expect(asked.toSorted()).toEqual(
      groups(20)
        .map(({ path }) => path)
        .toSorted(),
    );
    expect(mostAtOnce).toBeLessThanOrEqual(LIMITS.parallel);
    expect(found[3]).toMatchObject({ of: 'g3', host: 'abc.example.com' });
  });

  it('are not blamed for a switch that is set while they are asked', async () => {
    let now = stored('PRIMARY');
    whenAsked = () => {
      now = stored('STANDBY');
      says.set('/cells/g0', 'switch=STANDBY');
    };
    expect(endpointsInWords(await examine(1, () => now))).toBe('1 agrees');
  });

  it('do not wait for one that hangs, and those that there is no time for are left for later', async () => {
    const startedMs = performance.now();
    const found = await examine(12, () => stored('PRIMARY'), {
      parallel: 4,
      timeoutMs: 300,
      beginWithinMs: 400,
    });
    expect(endpointsInWords(found)).toMatch(
      /^(switch g\d+ late \(no answer in time\); ){5}3 more in trouble; 4 waiting$/,
    );
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it('are unknown while what is stored cannot be read, but for what needs no comparison', async () => {
    says.set('/cells/g0', 'switch=PRIMARY').set('/cells/g1', 'switch=PRIMARY read=failed');
    const found = await examine(2, () => ({ votes: new Map(), switches: undefined }));
    expect(endpointsInWords(found)).toBe('switch g1 unreadable (it says PRIMARY unread); 1 unknown');
  });
});
