import dns from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RenewingResolver, type RenewingResolverOptions } from '../../lib/resolver/renewing-resolver.ts';
import { openGiven, openSystem } from '../../lib/resolver/servers.ts';
import { east, startFakeResolver, west } from './fake-resolver.ts';

const NAME = 'signal.orders.example.com';
const TIMEOUT_MS = 1_000;
/** A busy machine may take its time. */
const PATIENCE = { timeout: 15_000 };

/** A machine whose servers change. */
function machine(servers: readonly string[], options: Partial<RenewingResolverOptions> = {}) {
  const system = { servers };
  const resolver = new RenewingResolver({
    timeoutMs: TIMEOUT_MS,
    open: (timeoutMs) => openGiven(system.servers)(timeoutMs),
    ...options,
  });
  onTestFinished(() => resolver.cancel());
  return { system, ...asking(resolver) };
}

function asking(resolver: RenewingResolver) {
  const problems: string[] = [];
  const ask = () =>
    resolver.ask({
      name: NAME,
      read: ([text = []]) => {
        if (!text[0]?.startsWith('v=1')) throw new Error(`not usable: ${text.join('')}`);
        return text.join('');
      },
      onProblem: (problem) => problems.push(problem),
    });
  return { resolver, ask, problems };
}

describe('the servers of the machine', () => {
  it('are read again when they have changed and the old one is silent', async () => {
    const [before, after] = [
      await startFakeResolver({ text: east }),
      await startFakeResolver({ text: west }),
    ];
    const { system, ask } = machine([before.address]);
    expect(await ask()).toBe(east);
    before.silent = true;
    system.servers = [after.address];
    expect(await ask()).toBe(west);
  });

  it('are read again when they change while a question is open, however long its time-out', async () => {
    const [before, after] = [
      await startFakeResolver({ silent: true }),
      await startFakeResolver({ text: west }),
    ];
    const { system, ask } = machine([before.address], { timeoutMs: 600_000 });
    const asked = ask();
    await expect.poll(() => before.asked, PATIENCE).toBe(1);
    system.servers = [after.address];
    expect(await asked).toBe(west);
  });

  it('are read again while the old one still answers', async () => {
    const [before, after] = [
      await startFakeResolver({ text: east }),
      await startFakeResolver({ text: west }),
    ];
    const { system, ask } = machine([before.address]);
    expect(await ask()).toBe(east);
    system.servers = [after.address];
    expect(await ask()).toBe(west);
    expect(before.asked).toBe(1);
  });

  it('that are missing for a moment are asked again afterwards', async () => {
    const server = await startFakeResolver({ text: east });
    const { system, ask, problems } = machine([server.address]);
    system.servers = ['127.0.0.1:1'];
    expect(await ask()).toBeUndefined();
    expect(problems).toHaveLength(1);
    system.servers = [server.address];
    expect(await ask()).toBe(east);
  });

  it('are those that the application has given to dns.setServers, for as long as it has', async () => {
    const system = new Resolver().getServers();
    expect(openSystem(TIMEOUT_MS).getServers()).toEqual(system);
    const own = dns.getServers();
    onTestFinished(() => dns.setServers(own));
    const { address } = await startFakeResolver({ text: west });
    const { ask } = asking(new RenewingResolver({ timeoutMs: TIMEOUT_MS }));
    dns.setServers([address]);
    expect(openSystem(TIMEOUT_MS).getServers()).toEqual([address]);
    expect(await ask()).toBe(west);
    dns.setServers(own);
    expect(openSystem(TIMEOUT_MS).getServers()).toEqual(system);
  });
});

it('servers that are named are asked whatever the machine’s are', async () => {
  const [named, other] = [await startFakeResolver({ text: east }), await startFakeResolver({ text: west })];
  const own = dns.getServers();
  onTestFinished(() => dns.setServers(own));
  const resolver = new RenewingResolver({ servers: [named.address], timeoutMs: TIMEOUT_MS });
  const { ask } = asking(resolver);
  dns.setServers([other.address]);
  expect(await ask()).toBe(east);
  named.silent = true;
  expect(await ask()).toBeUndefined();
  expect(other.asked).toBe(0);
  expect(() => new RenewingResolver({ servers: ['not an address'], timeoutMs: 1 })).toThrow(TypeError);
});

describe('of several servers', () => {
  it('one that is silent is not waited for at each question', async () => {
    const [silent, good] = [
      await startFakeResolver({ silent: true }),
      await startFakeResolver({ text: east }),
    ];
    const { ask } = machine([silent.address, good.address]);
    expect(await ask()).toBe(east);
    const startedMs = performance.now();
    for (let n = 0; n < 10; n++) expect(await ask()).toBe(east);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(silent.asked).toBeLessThan(5);
  });

  it.each([
    ['refuses', { rcode: 'REFUSED' as const }],
    ['fails', { rcode: 'SERVFAIL' as const }],
    ['knows no such name', { rcode: 'NXDOMAIN' as const }],
    ['lies in a way that can be seen', { text: 'hello' }],
  ])('one that %s does no harm, and is told with its address', async (_what, change) => {
    const [bad, good] = [await startFakeResolver(change), await startFakeResolver({ text: east })];
    const { ask, problems } = machine([bad.address, good.address]);
    expect(await ask()).toBe(east);
    expect(problems).toEqual([expect.stringContaining(`${bad.address}: `)]);
  });

  it('none that answers is one problem, not one for each', async () => {
    const [one, other] = [
      await startFakeResolver({ silent: true }),
      await startFakeResolver({ silent: true }),
    ];
    const { ask, problems } = machine([one.address, other.address]);
    expect(await ask()).toBeUndefined();
    expect(problems).toEqual([expect.stringContaining('ETIMEOUT')]);
  });
});

it('a question that is cancelled ends at once, is no problem, and no other is asked', async () => {
  const server = await startFakeResolver({ silent: true });
  const { resolver, ask, problems } = machine([server.address], { timeoutMs: 600_000 });
  const asked = ask();
  await expect.poll(() => server.asked, PATIENCE).toBe(1);
  resolver.cancel();
  expect(await asked).toBeUndefined();
  expect(await ask()).toBeUndefined();
  expect(problems).toEqual([]);
  expect(server.asked).toBe(1);
});
