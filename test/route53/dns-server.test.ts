import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { type Answer, type DecodedPacket, decode, encode, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, type DnsQuery } from '../../lib/route53/answer.ts';
import { replyTo } from '../../lib/route53/dns-message.ts';
import { type DnsServer, type DnsServerOptions, startDnsServer } from '../../lib/route53/dns-server.ts';
import { DnsServerError } from '../../lib/route53/errors.ts';
import { createZone, type RecordSet, type RecordType } from '../../lib/route53/records.ts';
import { designRecords, signalName, zoneName } from './design-tree.ts';

const simple = (name: string, type: RecordType, ...values: readonly string[]): RecordSet => ({
  name,
  type,
  routing: { policy: 'simple' },
  data: { kind: 'values', ttlSeconds: 5, values },
});
const zone = createZone(zoneName, [
  ...designRecords,
  simple('v4.example.com', 'A', '192.0.2.1', '192.0.2.2'),
  simple('v6.example.com', 'AAAA', '2001:db8::1'),
  simple('long.example.com', 'TXT', `"${'x'.repeat(300)}"`),
  simple('huge.example.com', 'TXT', `"${'x'.repeat(900)}"`),
  simple(zoneName, 'NS', 'ns-1.awsdns-00.com.'),
]);
const conditions = { isHealthy: () => true, random: () => 0 };
const answerer = (query: DnsQuery) => answer(zone, query, conditions);
const soa = answerer({ name: zoneName, type: 'SOA' }).records[0];

const servers: DnsServer[] = [];
async function start(options: Partial<DnsServerOptions> = {}) {
  const server = await startDnsServer({ answerer, soa: () => soa, ...options });
  servers.push(server);
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([server.address]);
  return { server, resolver };
}
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const ask = (packet: Packet, given = answerer): DecodedPacket => {
  const { response } = replyTo(encode({ type: 'query', id: 7, ...packet }), given, soa);
  if (!response) throw new Error('no response');
  return decode(response);
};
const question = (name: string, type: string, klass = 'IN') =>
  ({ questions: [{ name, type, class: klass }] }) as Packet;
const edns = (udpPayloadSize: number): Answer[] => [
  {
    type: 'OPT',
    name: '.',
    udpPayloadSize,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  },
];
const rcodeOf = (packet: DecodedPacket) => (packet as DecodedPacket & { readonly rcode: string }).rcode;

describe('the DNS server', () => {
  it('answers TXT, A, AAAA, CNAME, NS and SOA to the resolver of node:dns', async () => {
    const { server, resolver } = await start();
    expect(await resolver.resolveTxt(signalName)).toEqual([['v=1; region=us-east-1; stream=orders']]);
    expect(await resolver.resolve4('v4.example.com', { ttl: true })).toEqual([
      { address: '192.0.2.1', ttl: 5 },
      { address: '192.0.2.2', ttl: 5 },
    ]);
    expect(await resolver.resolve6('v6.example.com')).toEqual(['2001:db8::1']);
    expect(await resolver.resolveCname('api.orders.example.com')).toEqual(['lb.us-east-1.example.net']);
    expect(await resolver.resolveNs('example.com')).toEqual(['ns-1.awsdns-00.com']);
    expect(await resolver.resolveSoa('example.com')).toMatchObject({
      nsname: 'ns-1.awsdns-00.com',
      minttl: 60,
    });
    expect(server.queries).toBe(6);
  });

  it('tells a missing name from a missing type and refuses other zones', async () => {
    const { resolver } = await start();
    await expect(resolver.resolveTxt('nothing.example.com')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolve4(signalName)).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(resolver.resolve4('example.org')).rejects.toMatchObject({ code: 'EREFUSED' });
  });

  it('reports each query', async () => {
    const seen: unknown[] = [];
    const { resolver } = await start({ onQuery: (query, given) => seen.push([query, given.rcode]) });
    await resolver.resolveTxt(signalName);
    expect(seen).toEqual([[{ name: signalName, type: 'TXT' }, 'NOERROR']]);
  });

  it('says which port is taken', async () => {
    const { server } = await start();
    const port = Number(server.address.split(':')[1]);
    const second = startDnsServer({ answerer, port });
    await expect(second).rejects.toThrow(DnsServerError);
    await expect(second).rejects.toThrow(new RegExp(`${port}.*free`));
  });

  it('may be closed twice', async () => {
    const { server } = await start();
    await Promise.all([server.close(), server.close()]);
  });

  it('outlives datagrams of random bytes on its socket', async () => {
    const { server, resolver } = await start();
    const socket = createSocket('udp4');
    const port = Number(server.address.split(':')[1]);
    for (const bytes of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 64 }), 200))
      socket.send(bytes, port, '127.0.0.1');
    socket.send(encode(question('v4.example.com', 'A')), port, '127.0.0.1');
    await once(socket, 'message');
    socket.close();
    expect(await resolver.resolve6('v6.example.com')).toEqual(['2001:db8::1']);
  });
});

describe('a reply', () => {
  it('keeps the spelling of the question and the id', () => {
    const reply = ask(question('V4.eXample.com', 'A'));
    expect(reply.id).toBe(7);
    expect(reply.questions?.[0]?.name).toBe('V4.eXample.com');
    expect(reply.answers?.[0]?.name).toBe('V4.eXample.com');
    expect(reply.flag_aa).toBe(true);
  });

  it('carries the SOA record when there is nothing else to say', () => {
    expect(ask(question('nothing.example.com', 'A')).authorities).toMatchObject([{ type: 'SOA', ttl: 900 }]);
    expect(ask(question('v4.example.com', 'A')).authorities).toEqual([]);
    expect(ask(question('example.org', 'A')).authorities).toEqual([]);
  });

  it('splits TXT strings at 255 bytes', () => {
    const [record] = ask(question('long.example.com', 'TXT')).answers ?? [];
    const strings = record?.type === 'TXT' ? [record.data].flat() : [];
    expect(strings.map((each) => each.length)).toEqual([255, 45]);
  });

  it('is truncated beyond 512 bytes, unless EDNS offers more', () => {
    const plain = ask(question('huge.example.com', 'TXT'));
    expect([plain.flag_tc, plain.answers]).toEqual([true, []]);
    const extended = ask({ ...question('huge.example.com', 'TXT'), additionals: edns(1_232) });
    expect([extended.flag_tc, extended.answers?.length]).toEqual([false, 1]);
    expect(extended.additionals).toMatchObject([{ type: 'OPT' }]);
    expect(ask({ ...question('huge.example.com', 'TXT'), additionals: edns(600) }).flag_tc).toBe(true);
  });

  it('refuses other classes and declines other operations', () => {
    expect(rcodeOf(ask(question('v4.example.com', 'A', 'CH')))).toBe('REFUSED');
    const update = encode({ ...question('v4.example.com', 'A'), flags: 5 << 11 });
    expect(rcodeOf(decode(replyTo(update, answerer, soa).response ?? Buffer.alloc(0)))).toBe('NOTIMP');
  });

  it('is FORMERR for a message without exactly one question, and nothing for a response', () => {
    expect(rcodeOf(ask({ questions: [] }))).toBe('FORMERR');
    expect(replyTo(encode({ type: 'response', ...question('v4.example.com', 'A') }), answerer, soa)).toEqual(
      {},
    );
    expect(replyTo(Buffer.alloc(11), answerer, soa)).toEqual({});
  });

  it('is SERVFAIL when the answer cannot be given', () => {
    const broken = () => {
      throw new Error('no answer');
    };
    expect(rcodeOf(ask(question('v4.example.com', 'A'), broken))).toBe('SERVFAIL');
  });

  it('never throws and never exceeds what the asker takes, for any bytes', () => {
    const valid = encode({ ...question(signalName, 'TXT'), additionals: edns(512) });
    const mutated = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 8 })
      .map((changes) => {
        const copy = Buffer.from(valid);
        for (const [at, byte] of changes) copy.writeUInt8(byte, at);
        return copy;
      });
    const random = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(mutated, random), (datagram) => {
        const { response } = replyTo(datagram, answerer, soa);
        if (!response) return;
        expect(response.readUInt16BE(0)).toBe(datagram.readUInt16BE(0));
        expect(response.readUInt8(2) & 0x80).toBe(0x80);
        expect(response.length).toBeLessThanOrEqual(4_096);
      }),
      { numRuns: 2_000 },
    );
  });
});
