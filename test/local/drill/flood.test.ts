import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { unexpected } from '../../../lib/local/drill/flood.ts';
import { sendFlood } from '../../../lib/local/drill/flood-requests.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function flood(answer: (n: number) => number | undefined, change: { readonly forMs?: number } = {}) {
  const seen: string[] = [];
  server = createServer(({ headers, url }, response) => {
    seen.push(`${headers.host}${url}`);
    const status = answer(seen.length);
    if (status !== undefined) response.writeHead(status).end('x');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const startedMs = performance.now();
  const counted = await sendFlood({
    origin: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    host: 'abc.lambda-url.us-west-2.localhost:4566',
    paths: ['/cells/orders', '/cells/clicks'],
    requestsPerSecond: 300,
    forMs: change.forMs ?? 1_000,
    signal: new AbortController().signal,
  });
  return { seen, counted, tookMs: performance.now() - startedMs };
}

describe('a flood', () => {
  it('has the rate and the length that were asked for, is spread over the paths, and counts refusals', async () => {
    const { seen, counted, tookMs } = await flood((n) => (n % 3 === 0 ? 429 : 200));
    expect(counted).toMatchObject({ sent: 300, unsent: 0 });
    expect(counted.refused).toBeGreaterThan(80);
    expect(counted.refused).toBeLessThanOrEqual(100);
    expect(tookMs).toBeLessThan(2_500);
    expect(new Set(seen)).toEqual(
      new Set(
        ['/cells/orders', '/cells/clicks'].map((path) => `abc.lambda-url.us-west-2.localhost:4566${path}`),
      ),
    );
  });

  it('ends in time and stays within its bounds when nobody answers', async () => {
    const { counted, tookMs } = await flood(() => undefined, { forMs: 500 });
    expect(counted).toMatchObject({ sent: 150, refused: 0 });
    expect(tookMs).toBeLessThan(2_000);
  });

  it('floods nobody but this machine', async () => {
    const elsewhere = {
      origin: new URL('http://192.0.2.1'),
      host: 'x',
      paths: ['/'],
      requestsPerSecond: 1,
      forMs: 1,
    };
    await expect(sendFlood({ ...elsewhere, signal: new AbortController().signal })).rejects.toThrow(
      RangeError,
    );
  });
});

describe('what a flood was said to do', () => {
  it.each([
    ['holds', 0, 60_000, 0],
    ['holds', 2, 60_000, 1],
    ['may end', 0, 600_000, 0],
    ['may end', 4, 60_000, 0],
    ['ends', 2, 60_000, 0],
    // Too short to say so.
    ['ends', 0, 60_000, 0],
    ['ends', 0, 300_000, 1],
  ] as const)(
    'is compared with what it did: %s, %i answers changed within %i ms',
    (expected, answersChanged, forMs, count) => {
      expect(unexpected({ expected, answersChanged, forMs })).toHaveLength(count);
    },
  );
});
