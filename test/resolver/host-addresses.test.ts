import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HostAddresses } from '../../lib/resolver/host-addresses.ts';
import { lookupWith } from '../../lib/resolver/host-lookup.ts';
import { HostsFile } from '../../lib/resolver/hosts-file.ts';
import { RenewingResolver } from '../../lib/resolver/renewing-resolver.ts';
import { SystemLookup, type SystemLookupOptions } from '../../lib/resolver/system-lookup.ts';
import { type FakeResolver, startFakeResolver } from './fake-resolver.ts';

const HOST = 'kinesis.us-east-1.amazonaws.com';
const DAY_MS = 24 * 60 * 60_000;
type Lookup = NonNullable<SystemLookupOptions['lookup']>;

/** A machine with one DNS server, a clock that is set by hand, and a system that knows what `system` says. */
async function machine({
  dns = {},
  hosts = '',
  system = () => Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })),
}: {
  readonly dns?: Partial<FakeResolver>;
  readonly hosts?: string;
  readonly system?: Lookup;
} = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'spillway-hosts-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'hosts');
  writeFileSync(path, hosts);
  const server = await startFakeResolver(dns);
  const clock = { nowMs: 0 };
  const now = () => clock.nowMs;
  const resolver = new RenewingResolver({ servers: [server.address], timeoutMs: 300 });
  onTestFinished(() => resolver.cancel());
  let systemAsked = 0;
  const addresses = new HostAddresses({
    resolver,
    hosts: new HostsFile({ path, now }),
    system: new SystemLookup({
      timeoutMs: 300,
      lookup: (host, options) => {
        systemAsked++;
        return system(host, options);
      },
    }),
    families: () => [6, 4],
    now,
  });
  return { addresses, server, clock, path, systemAsked: () => systemAsked };
}

describe('the addresses of a host', () => {
  it('are asked for in both families, and again when their TTL is over', async () => {
    const { addresses, server, clock } = await machine({
      dns: { a: ['192.0.2.1', '192.0.2.2'], aaaa: ['2001:db8::1'], ttls: [20] },
    });
    expect(await addresses.of(HOST)).toEqual(['2001:db8::1', '192.0.2.1', '192.0.2.2']);
    clock.nowMs = 19_000;
    server.a = ['192.0.2.3'];
    server.aaaa = [];
    expect(await addresses.of(HOST.toUpperCase())).toContain('192.0.2.1');
    expect(server.asked).toBe(2);
    clock.nowMs = 21_000;
    expect(await addresses.of(HOST)).toEqual(['192.0.2.3']);
  });

  it('are asked for once by callers of the same time', async () => {
    const { addresses, server } = await machine({ dns: { a: ['192.0.2.1'] } });
    await Promise.all(Array.from({ length: 20 }, () => addresses.of(HOST)));
    expect(server.asked).toBe(2);
  });

  it('are not kept for longer than a minute, whatever the TTL', async () => {
    const { addresses, server, clock } = await machine({ dns: { a: ['192.0.2.1'], ttls: [86_400] } });
    await addresses.of(HOST);
    server.a = ['192.0.2.9'];
    clock.nowMs = 61_000;
    expect(await addresses.of(HOST)).toEqual(['192.0.2.9']);
  });

  it.each<[string, Partial<FakeResolver>]>([
    ['is silent', { silent: true }],
    ['fails', { rcode: 'SERVFAIL' }],
    ['refuses', { rcode: 'REFUSED' }],
    ['knows no such host any more', { rcode: 'NXDOMAIN' }],
    ['has lost the addresses of the host', { a: [] }],
  ])('that were known are used for a day when the server %s', async (_what, change) => {
    const { addresses, server, clock, systemAsked } = await machine({ dns: { a: ['192.0.2.1'] } });
    await addresses.of(HOST);
    Object.assign(server, change);
    clock.nowMs = DAY_MS / 2;
    expect(await addresses.of(HOST)).toEqual(['192.0.2.1']);
    await expect
      .poll(async () => {
        // Within half a minute nobody is asked again.
        const { asked } = server;
        await addresses.of(HOST);
        return server.asked - asked;
      })
      .toBe(0);
    clock.nowMs = DAY_MS + 10_000;
    if (change.silent === true || change.rcode === 'SERVFAIL' || change.rcode === 'REFUSED') {
      await expect(addresses.of(HOST)).rejects.toMatchObject({ code: 'EAI_AGAIN' });
      expect(systemAsked()).toBe(0);
    } else {
      await expect(addresses.of(HOST)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    }
    Object.assign(server, { silent: false, rcode: 'NOERROR', a: ['192.0.2.7'] });
    expect(await addresses.of(HOST)).toEqual(['192.0.2.7']);
  });

  it('are those of the hosts file first, which is read again when it has changed', async () => {
    const { addresses, server, clock, path } = await machine({
      dns: { a: ['192.0.2.1'] },
      hosts: `# comment\n127.0.0.1 localhost\n10.0.0.1\t${HOST}  other # here\n`,
    });
    expect(await addresses.of(HOST)).toEqual(['10.0.0.1']);
    expect(await addresses.of('other')).toEqual(['10.0.0.1']);
    writeFileSync(path, `10.0.0.22 ${HOST}\n`);
    clock.nowMs = 6_000;
    expect(await addresses.of(HOST)).toEqual(['10.0.0.22']);
    rmSync(path);
    clock.nowMs = 12_000;
    expect(server.asked).toBe(0);
    expect(await addresses.of(HOST)).toEqual(['192.0.2.1']);
  });

  it('are those that any hosts file names', async () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,9}(\.[a-z0-9]{1,9}){0,2}$/);
    const line = fc.record({
      address: fc.oneof(fc.ipV4(), fc.constantFrom('::1', '2001:db8::7')),
      names: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
      gap: fc.constantFrom(' ', '\t', '   '),
      end: fc.constantFrom('', ' # why', '\r'),
    });
    const { path } = await machine();
    let nowMs = 0;
    const file = new HostsFile({ path, now: () => nowMs });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.nat(1_000), (lines, seed) => {
        const text = lines.map(({ address, names, gap, end }) => [address, ...names].join(gap) + end);
        writeFileSync(path, `# ${'x'.repeat(seed)} ${nowMs}\n${text.join('\n')}`);
        nowMs += 10_000;
        for (const { names } of lines) {
          for (const each of names) {
            const wanted = lines.filter((other) => other.names.includes(each)).map(({ address }) => address);
            expect(file.addressesOf(each)).toEqual([...new Set(wanted)]);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['localhost', ['127.0.0.1', '::1']],
    ['any.localhost', ['127.0.0.1', '::1']],
    ['192.0.2.77', ['192.0.2.77']],
    ['2001:db8::5', ['2001:db8::5']],
  ])('of %s need no question', async (host, wanted) => {
    const { addresses, server } = await machine();
    expect(await addresses.of(host)).toEqual(wanted);
    expect(server.asked).toBe(0);
  });
});

describe('a host that DNS does not know', () => {
  it('is looked up by the system, which knows search lists and more', async () => {
    const { addresses, systemAsked, clock, server } = await machine({
      dns: { rcode: 'NXDOMAIN' },
      system: async () => [{ address: '10.1.1.1' }],
    });
    expect(await addresses.of('proxy')).toEqual(['10.1.1.1']);
    expect(await addresses.of('proxy')).toEqual(['10.1.1.1']);
    expect(systemAsked()).toBe(1);
    clock.nowMs = 11_000;
    await addresses.of('proxy');
    expect(systemAsked()).toBe(2);
    // From now on DNS knows it.
    Object.assign(server, { rcode: 'NOERROR', a: ['10.2.2.2'] });
    clock.nowMs = 22_000;
    expect(await addresses.of('proxy')).toEqual(['10.2.2.2']);
  });

  it('takes one thread at most, however many of them hang', async () => {
    const hanging = Promise.withResolvers<readonly { address: string }[]>();
    let atOnce = 0;
    let most = 0;
    const { addresses } = await machine({
      dns: { rcode: 'NXDOMAIN' },
      system: async () => {
        most = Math.max(most, ++atOnce);
        try {
          return await hanging.promise;
        } finally {
          atOnce--;
        }
      },
    });
    const hosts = Array.from({ length: 12 }, (_, n) => `host-${n}`);
    const outcomes = await Promise.allSettled(hosts.map((host) => addresses.of(host)));
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual(
      hosts.map(() => 'EAI_AGAIN'),
    );
    hanging.resolve([{ address: '10.0.0.9' }]);
    await sleep(0);
    expect(await addresses.of('host-3')).toEqual(['10.0.0.9']);
    expect(most).toBe(1);
  });

  it('is not known to the system either', async () => {
    const { addresses } = await machine({ dns: { rcode: 'NXDOMAIN' } });
    await expect(addresses.of('nowhere')).rejects.toMatchObject({ code: 'ENOTFOUND', hostname: 'nowhere' });
  });
});

describe('the lookup of a socket', () => {
  const found = ['192.0.2.1', '192.0.2.2', '2001:db8::1'];
  const ask = (
    options: Parameters<LookupFunction>[1],
    lookup: LookupFunction = lookupWith({ of: async () => found }, () => [6, 4]),
  ) => {
    const { promise, resolve } = Promise.withResolvers<readonly unknown[]>();
    lookup('host', options, (error, address, family) => resolve([error?.code ?? null, address, family]));
    return promise;
  };
  const all = (...addresses: readonly string[]) =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

  it('gives one address or all, of one family or both', async () => {
    expect(await ask({ all: true })).toEqual([null, all('2001:db8::1', ...found.slice(0, 2)), undefined]);
    expect(await ask({})).toEqual([null, '2001:db8::1', 6]);
    expect(await ask({ family: 4 })).toEqual([null, '192.0.2.1', 4]);
    expect(await ask({ family: 'IPv4', all: true })).toEqual([
      null,
      all('192.0.2.1', '192.0.2.2'),
      undefined,
    ]);
    expect(await ask({ family: 6 }, lookupWith({ of: async () => ['192.0.2.1'] }))).toEqual([
      'ENOTFOUND',
      '',
      0,
    ]);
  });

  it('begins with IPv4 on a machine without IPv6', async () => {
    const lookup = lookupWith({ of: async () => ['::1', '127.0.0.1'] }, () => [4]);
    expect(await ask({}, lookup)).toEqual([null, '127.0.0.1', 4]);
  });

  it('begins with another address each time', async () => {
    const lookup = lookupWith({ of: async () => found.slice(0, 2) }, () => [4]);
    const first = [await ask({}, lookup), await ask({}, lookup), await ask({}, lookup)].map(
      ([, each]) => each,
    );
    expect(first).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.1']);
  });

  it('passes on why there is none', async () => {
    const { addresses, server } = await machine({ dns: { silent: true } });
    expect(await ask({ all: true }, lookupWith(addresses))).toEqual(['EAI_AGAIN', '', 0]);
    expect(server.asked).toBeGreaterThan(0);
  });
});
