import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { signalReader, zoneQuorumReader } from '../../lib/conductor/dns.ts';
import { startDnsServer } from '../../lib/route53/dns-server.ts';

const zone = { zoneName: 'example.com', primary: 'us-east-1', standby: 'us-west-2' };

/** A name server of the zone, which knows three cells. */
async function nameServer(asked: string[] = []) {
  const answers: Readonly<Record<string, string>> = {
    'signal.orders.example.com': '"v=1; region=us-west-2; stream=orders"',
    'signal.clicks.example.com': '"v=1; region=us-east-1; stream=clicks"',
    'region.shop.example.com': '"v=1; region=us-west-2"',
    'region.example.com': '"v=1; region=us-east-1"',
    'signal.odd.example.com': '"v=9; region=mars"',
  };
  const server = await startDnsServer({
    answerer: ({ name, type }) => {
      asked.push(`${type} ${name}`);
      const value = type === 'TXT' ? answers[name] : undefined;
      if (value === undefined) return { rcode: 'NXDOMAIN', records: [] };
      return { rcode: 'NOERROR', records: [{ name, type: 'TXT', ttlSeconds: 5, values: [value] }] };
    },
  });
  onTestFinished(() => server.close());
  return server.address;
}

describe('where DNS says that a cell is', () => {
  it('is what the zone’s own name servers answer', async () => {
    const address = await nameServer();
    const ask = signalReader({ ...zone, findServers: async () => [address] });
    expect((await ask(['orders', 'clicks', 'odd', 'none'])).toSorted(byCell)).toEqual([
      { cell: 'clicks', region: 'primary' },
      { cell: 'none', region: 'unknown' },
      { cell: 'odd', region: 'unknown' },
      { cell: 'orders', region: 'standby' },
    ]);
  });

  it('is for the quorum asked of the same servers, which hold no stale answer', async () => {
    const address = await nameServer();
    const shop = { ...zone, name: 'shop', cells: ['clicks'], findServers: async () => [address] };
    expect(await zoneQuorumReader(shop)()).toBe('standby');
    expect(await zoneQuorumReader({ ...shop, zoneName: 'x.invalid' })()).toBe('unknown');
  });

  it('is for the quorum that of the former record, until the record of the deployment’s name is there', async () => {
    const address = await nameServer();
    const old = { ...zone, name: 'old', findServers: async () => [address] };
    expect(await zoneQuorumReader({ ...old, cells: ['clicks'] })()).toBe('primary');
    // A deployment without signals is new, and the former record is another's.
    expect(await zoneQuorumReader({ ...old, cells: ['none'] })()).toBe('unknown');
  });

  it('is asked of the servers that are named, without looking for any others', async () => {
    const asked: string[] = [];
    const ask = signalReader({
      ...zone,
      servers: [await nameServer(asked)],
      findServers: async () => {
        throw new Error('looked for');
      },
    });
    expect(await ask(['orders'])).toEqual([{ cell: 'orders', region: 'standby' }]);
    expect(asked).toEqual(['TXT signal.orders.example.com']);
  });

  it('is asked of the next server when one is silent', async () => {
    const silent = createSocket('udp4');
    silent.bind(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const servers = [`127.0.0.1:${silent.address().port}`, await nameServer()];
    expect(await signalReader({ ...zone, servers })(['orders'])).toEqual([
      { cell: 'orders', region: 'standby' },
    ]);
  });

  it('is unknown, and no error, when no name server can be found and the resolver knows nothing', async () => {
    const ask = signalReader({
      ...zone,
      zoneName: 'nobody.invalid',
      findServers: async () => {
        throw new Error('no NS records');
      },
    });
    expect(await ask(['orders'])).toEqual([{ cell: 'orders', region: 'unknown' }]);
  });
});

const byCell = (a: { readonly cell: string }, b: { readonly cell: string }): number =>
  a.cell < b.cell ? -1 : 1;
