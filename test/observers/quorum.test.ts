import dns from 'node:dns';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Role } from '../../lambda/core/role.ts';
import { believed } from '../../lib/observers/former-record.ts';
import { quorumReader } from '../../lib/observers/quorum.ts';
import { startFakeResolver } from '../resolver/fake-resolver.ts';
import { startZone } from './zone.ts';

const deployment = {
  name: 'shop',
  zoneName: 'example.com',
  primary: 'us-east-1',
  standby: 'us-west-2',
  cells: ['orders', 'clicks'],
};
const own = 'region.shop.example.com';
const former = 'region.example.com';
const signal = 'signal.orders.example.com';
const [east, west] = ['v=1; region=us-east-1', 'v=1; region=us-west-2'];

it.each([
  [east, 'primary'],
  [west, 'standby'],
  ['v=1; region=eu-west-3', 'unknown'],
  ['hello', 'unknown'],
])('the answer %j is %s', async (text, expected) => {
  const { address } = await startFakeResolver({ text });
  expect(await quorumReader({ ...deployment, servers: [address] })()).toBe(expected);
});

it('an observer that lives on asks the resolver that the machine has now', async () => {
  const [before, after] = [await startFakeResolver({ text: east }), await startFakeResolver({ text: west })];
  setServersForTest();
  const read = quorumReader(deployment);
  dns.setServers([before.address]);
  expect(await read()).toBe('primary');
  before.silent = true;
  expect(await read()).toBe('unknown');
  dns.setServers([after.address]);
  expect(await read()).toBe('standby');
});

describe('while the record of the deployment’s name', () => {
  const readFrom = async (texts: Readonly<Record<string, string | undefined>>) => {
    const zone = await startZone(texts);
    return { zone, quorum: await quorumReader({ ...deployment, servers: [zone.address] })() };
  };

  it('is there, nothing else is asked', async () => {
    const { zone, quorum } = await readFrom({ [own]: east, [former]: west, [signal]: west });
    expect(quorum).toBe('primary');
    expect(zone.asked).toEqual([own]);
  });

  it.each([
    [east, east, 'primary'],
    [west, west, 'standby'],
    // Latched: the signal stays in the standby although the quorum is back.
    [east, west, 'primary'],
  ])('is not there yet, the former record tells: %j beside the signal %j', async (region, told, expected) => {
    const { quorum } = await readFrom({ [former]: region, [signal]: told });
    expect(quorum).toBe(expected);
  });

  it('is not there yet and the deployment is new, another one’s record tells nothing', async () => {
    const { quorum } = await readFrom({ [former]: west, 'signal.other.example.com': west });
    expect(quorum).toBe('unknown');
  });

  it('is not there and the former record contradicts a signal, nothing is known', async () => {
    const { quorum } = await readFrom({ [former]: west, [signal]: west, 'signal.clicks.example.com': east });
    expect(quorum).toBe('unknown');
  });

  it('cannot be read, the former record is not asked: a resolver that fails is waited for once', async () => {
    const { zone, quorum } = await readFrom({ [own]: undefined, [former]: west, [signal]: west });
    expect(quorum).toBe('unknown');
    expect(zone.asked).not.toContain(former);
    const silent = await startFakeResolver({ silent: true });
    expect(await quorumReader({ ...deployment, servers: [silent.address] })()).toBe('unknown');
    expect(silent.asked).toBe(1);
  });

  it('is unknown to a resolver that remembers its absence, the zone’s own servers tell', async () => {
    const [resolver, zone] = [await startZone({ [signal]: west }), await startZone({ [own]: west })];
    setServersForTest();
    dns.setServers([resolver.address]);
    const read = quorumReader({ ...deployment, findServers: async () => [zone.address] });
    expect(await read()).toBe('standby');
    expect(resolver.asked).toContain(own);
  });

  it('is not there and the zone’s own servers are not found in time, the former record tells', async () => {
    const resolver = await startZone({ [former]: west, [signal]: west });
    setServersForTest();
    dns.setServers([resolver.address]);
    const startedMs = performance.now();
    const read = quorumReader({ ...deployment, findServers: () => new Promise(() => {}) });
    expect(await read()).toBe('standby');
    expect(performance.now() - startedMs).toBeLessThan(4_000);
  });

  it('comes, and the former one goes, no answer between is unknown or another', async () => {
    const zone = await startZone({ [former]: west, [signal]: west });
    const read = quorumReader({ ...deployment, servers: [zone.address] });
    const seen = [await read()];
    zone.texts.set(own, west);
    seen.push(await read());
    zone.texts.delete(former);
    seen.push(await read());
    expect(seen).toEqual(['standby', 'standby', 'standby']);
  });
});

it('the former record is never believed to have left for the standby while a signal is in the primary', () => {
  const role = fc.option(fc.constantFrom<Role>('primary', 'standby'), { nil: undefined });
  fc.assert(
    fc.property(role, fc.array(role, { maxLength: 3 }), (record, signals) => {
      const quorum = believed(record, signals);
      if (quorum === 'unknown') return;
      expect(quorum).toBe(record);
      expect(signals.some((one) => one !== undefined)).toBe(true);
      if (quorum === 'standby') expect(signals).not.toContain('primary');
    }),
  );
});

/** What a test gives to node's own resolver is taken back at its end. */
function setServersForTest(): void {
  const before = dns.getServers();
  onTestFinished(() => dns.setServers(before));
}
