import { describe, expect, it, onTestFinished } from 'vitest';
import { TtlWatch, type TtlWatchOptions } from '../../lib/producer/ttl-watch.ts';
import { east, type FakeResolver, startFakeResolver } from '../resolver/fake-resolver.ts';

/** A watch whose clock stands still until it is moved. */
function watching(options: Partial<TtlWatchOptions> = {}) {
  const clock = { nowMs: 0 };
  const told: string[] = [];
  const watch = new TtlWatch({
    name: 'signal.orders.example.com',
    ttlSeconds: 5,
    onStretched: (problem) => told.push(problem),
    onWell: () => told.push('well'),
    // A busy machine may take its time; where nobody answers, a test says less.
    timeoutMs: 10_000,
    now: () => clock.nowMs,
    ...options,
  });
  onTestFinished(() => watch.stop());
  /** After the longest interval of health. */
  const look = (...servers: readonly FakeResolver[]) => {
    clock.nowMs += 15_001;
    return watch.look(servers.map(({ address }) => address));
  };
  return { watch, clock, told, look };
}

describe('a resolver that keeps answers beyond their TTL', () => {
  it('is told with its address and both TTLs, once', async () => {
    const server = await startFakeResolver({ text: east, ttls: [28, 13, 29] });
    const { told, look } = watching();
    for (let n = 0; n < 4; n++) await look(server);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(server.address);
    expect(told[0]).toMatch(/TTL of 28 s .* own is 5 s.*cache-min-ttl.*signal\.ttlSeconds/);
  });

  it('is not well again because one answer is in its last seconds', async () => {
    const server = await startFakeResolver({ text: east, ttls: [28, 4, 27, 3, 26] });
    const { told, look } = watching();
    for (let n = 0; n < 5; n++) await look(server);
    expect(told).toHaveLength(1);
  });

  it('is well when it has respected the TTL for longer than it kept answers, and told again afterwards', async () => {
    const server = await startFakeResolver({ text: east, ttls: [28, 5, 4, 3, 5, 30] });
    const { told, look } = watching();
    for (let n = 0; n < 7; n++) await look(server);
    expect(told).toEqual([expect.anything(), 'well', expect.stringMatching(/TTL of 30 s/)]);
  });

  it('is another matter when the servers are others', async () => {
    const [one, other] = [
      await startFakeResolver({ text: east, ttls: [28] }),
      await startFakeResolver({ text: east, ttls: [60] }),
    ];
    const { told, look } = watching();
    await look(one);
    await look(other);
    expect(told).toEqual([
      expect.stringContaining(one.address),
      'well',
      expect.stringContaining(other.address),
    ]);
  });
});

it.each([
  ['respects the TTL', 5, [5, 1, 0]],
  ['rounds it up', 5, [6]],
  ['has a record of a longer TTL', 60, [60, 30]],
])('a resolver that %s is no problem', async (_what, ttlSeconds, ttls) => {
  const server = await startFakeResolver({ text: east, ttls });
  const { told, look } = watching({ ttlSeconds });
  for (let n = 0; n < 4; n++) await look(server);
  expect(told).toEqual([]);
});

it('asks no more often than each 15 s', async () => {
  const server = await startFakeResolver({ text: east });
  const { watch, clock, look } = watching();
  await look(server);
  for (let n = 0; n < 10; n++) await watch.look([server.address]);
  clock.nowMs += 14_000;
  await watch.look([server.address]);
  expect(server.asked).toBe(1);
  await look(server);
  expect(server.asked).toBe(2);
});

it('asks ever more rarely where nobody answers, and as before when somebody does', async () => {
  const server = await startFakeResolver({ text: east, silent: true });
  const { look, clock } = watching({ timeoutMs: 1_000 });
  // Ten minutes.
  for (let n = 0; n < 40; n++) await look(server);
  expect(server.asked).toBeLessThan(7);
  server.silent = false;
  server.asked = 0;
  clock.nowMs += 300_000;
  for (let n = 0; n < 4; n++) await look(server);
  expect(server.asked).toBe(4);
});

it('finds the server that answers behind one that is silent', async () => {
  const [silent, server] = [
    await startFakeResolver({ silent: true }),
    await startFakeResolver({ text: east, ttls: [30] }),
  ];
  const { told, look } = watching({ timeoutMs: 1_000 });
  await look(silent, server);
  expect(told).toEqual([expect.stringContaining(server.address)]);
});

it('asks nothing more once it is stopped, and what is open is not told', async () => {
  const server = await startFakeResolver({ text: east, ttls: [30], silent: true });
  const { watch, told, look } = watching({ timeoutMs: 600_000 });
  const open = look(server);
  await expect.poll(() => server.asked, { timeout: 10_000 }).toBe(1);
  watch.stop();
  await open;
  await look(server);
  expect(server.asked).toBe(1);
  expect(told).toEqual([]);
});
