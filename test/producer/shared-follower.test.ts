import dns from 'node:dns';
import { describe, expect, it, onTestFinished } from 'vitest';
import { follow } from '../../lib/producer/shared-follower.ts';
import type { FollowerOptions } from '../../lib/producer/signal-follower.ts';
import { east, type FakeResolver, startFakeResolver, west } from '../resolver/fake-resolver.ts';

const EAST = 'us-east-1';
const WEST = 'us-west-2';
/** A busy machine may take its time. */
const PATIENCE = { timeout: 15_000 };
const TIMEOUT_MS = 3_000;

interface Change extends Partial<FollowerOptions['signal']> {
  readonly regions?: readonly string[];
}

function following(server: FakeResolver, { regions, ...signal }: Change = {}) {
  const heard: string[] = [];
  const problems: string[] = [];
  const options = {
    signal: {
      name: 'signal.orders.example.com',
      servers: [server.address],
      pollMs: 30,
      timeoutMs: TIMEOUT_MS,
      ...signal,
    },
    regions: regions ?? ['us-east-1', 'us-west-2'],
  };
  const hooks = {
    onSignal: ({ region }: { readonly region: string }) => void heard.push(region),
    onProblem: (problem: string) => void problems.push(problem),
  };
  const { stop } = follow(options, hooks, Math.random);
  onTestFinished(stop);
  return { heard, problems, stop };
}

describe('producers that follow the same signal', () => {
  it('ask once for all of them, and all hear of a move', async () => {
    const server = await startFakeResolver({ text: east });
    const many = Array.from({ length: 50 }, () => following(server, { pollMs: 600_000 }));
    await expect.poll(() => many.every(({ heard }) => heard.join() === EAST), PATIENCE).toBe(true);
    // And once for its TTL.
    expect(server.asked).toBeLessThanOrEqual(2);

    const others = [following(server), following(server), following(server)];
    await expect.poll(() => others.every(({ heard }) => heard.join() === EAST), PATIENCE).toBe(true);
    server.text = west;
    await expect
      .poll(() => others.every(({ heard }) => heard.join() === `${EAST},${WEST}`), PATIENCE)
      .toBe(true);
  });

  it('hear at once what the others know, however long ago it was asked', async () => {
    const server = await startFakeResolver({ text: east, ttls: [40] });
    const early = following(server, { pollMs: 600_000 });
    await expect.poll(() => early.problems, PATIENCE).toHaveLength(1);
    server.silent = true;
    const late = following(server, { pollMs: 600_000 });
    await Promise.resolve();
    expect(late.heard).toEqual([EAST]);
    expect(late.problems).toEqual(early.problems);
  });

  it('are told each of a problem', async () => {
    const server = await startFakeResolver({ rcode: 'SERVFAIL' });
    const [one, other] = [following(server), following(server)];
    await expect
      .poll(() => Math.min(one.problems.length, other.problems.length), PATIENCE)
      .toBeGreaterThan(2);
    expect(one.problems[0]).toMatch(/ESERVFAIL/);
  });

  it('stop for themselves alone; with the last one the questions end', async () => {
    const server = await startFakeResolver({ text: east });
    const [one, other] = [following(server), following(server)];
    await expect.poll(() => other.heard, PATIENCE).toEqual([EAST]);
    one.stop();
    one.stop();
    server.text = west;
    await expect.poll(() => other.heard, PATIENCE).toEqual([EAST, WEST]);
    expect(one.heard).toEqual([EAST]);
    other.stop();
    // A follower of its own that asks as often: had the other gone on, it would be heard as well.
    const witness = await startFakeResolver({ text: east });
    following(witness);
    const { asked } = server;
    await expect.poll(() => witness.asked, PATIENCE).toBeGreaterThan(5);
    expect(server.asked).toBeLessThanOrEqual(asked + 1);
  });

  it('start anew after the last one has stopped, with nothing of the past', async () => {
    const server = await startFakeResolver({ text: east });
    const before = following(server);
    await expect.poll(() => before.heard, PATIENCE).toEqual([EAST]);
    before.stop();
    server.text = west;
    const after = following(server);
    await expect.poll(() => after.heard, PATIENCE).toEqual([WEST]);
  });

  it.each<[string, Change]>([
    ['name', { name: 'signal.clicks.example.com' }],
    ['time between questions', { pollMs: 599_999 }],
    ['time-out', { timeoutMs: TIMEOUT_MS + 1 }],
    ['TTL', { ttlSeconds: 60 }],
    ['regions', { regions: [EAST, 'eu-west-3'] }],
  ])('but for another %s ask for themselves', async (_what, change) => {
    const server = await startFakeResolver({ text: east });
    const one = following(server, { pollMs: 600_000 });
    await expect.poll(() => one.heard, PATIENCE).toEqual([EAST]);
    server.text = 'v=1; region=eu-west-3; stream=orders';
    const other = following(server, { pollMs: 600_000, ...change });
    await expect.poll(() => other.heard.length + other.problems.length, PATIENCE).toBe(1);
    expect(other.heard).not.toEqual([EAST]);
  });

  it('name their regions in any order', async () => {
    const server = await startFakeResolver({ text: east });
    const one = following(server, { pollMs: 600_000, regions: [EAST, WEST] });
    await expect.poll(() => one.heard, PATIENCE).toEqual([EAST]);
    const { asked } = server;
    const other = following(server, { pollMs: 600_000, regions: [WEST, EAST] });
    await expect.poll(() => other.heard, PATIENCE).toEqual([EAST]);
    expect(server.asked).toBeLessThanOrEqual(asked + 1);
  });
});

it('one that throws keeps the news neither from the others nor from the next question', async () => {
  const server = await startFakeResolver({ text: east });
  const thrown: unknown[] = [];
  const catching = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => thrown.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of catching) process.on('uncaughtException', listener);
  });
  const signal = { name: 'signal.orders.example.com', servers: [server.address], pollMs: 30 };
  const throwing = follow(
    { signal: { ...signal, timeoutMs: TIMEOUT_MS }, regions: [EAST, WEST] },
    {
      onSignal: () => {
        throw new Error('mine');
      },
      onProblem: () => {},
    },
    Math.random,
  );
  onTestFinished(() => throwing.stop());
  const other = following(server);
  await expect.poll(() => other.heard, PATIENCE).toEqual([EAST]);
  server.text = west;
  await expect.poll(() => other.heard, PATIENCE).toEqual([EAST, WEST]);
  expect(thrown.length).toBeGreaterThan(0);
});

it('the servers of the system are followed, without a restart', async () => {
  const [before, after] = [await startFakeResolver({ text: east }), await startFakeResolver({ text: west })];
  const own = dns.getServers();
  onTestFinished(() => dns.setServers(own));
  dns.setServers([before.address]);
  const heard: string[] = [];
  const { stop } = follow(
    {
      signal: { name: 'signal.orders.example.com', pollMs: 30, timeoutMs: TIMEOUT_MS },
      regions: [EAST, WEST],
    },
    { onSignal: ({ region }) => heard.push(region), onProblem: () => {} },
    Math.random,
  );
  onTestFinished(stop);
  await expect.poll(() => heard, PATIENCE).toEqual([EAST]);
  before.silent = true;
  dns.setServers([after.address]);
  await expect.poll(() => heard, PATIENCE).toEqual([EAST, WEST]);
});
