import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type Answer, decode, encode, RECURSION_AVAILABLE } from 'dns-packet';
import { onTestFinished } from 'vitest';

const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/** What a DNS server answers to every question; change it at any time. */
export interface FakeResolver {
  readonly address: string;
  text: string;
  /** Addresses of every host. */
  a: readonly string[];
  aaaa: readonly string[];
  rcode: keyof typeof rcodes;
  silent: boolean;
  /** TTLs of the answers to come, one each; the last one stays. */
  ttls: readonly number[];
  /** Questions so far. */
  asked: number;
}

/** A DNS server on a real socket, closed when the test is over. */
export async function startFakeResolver(change: Partial<FakeResolver> = {}): Promise<FakeResolver> {
  const socket = createSocket('udp4');
  const fake = { text: '', a: [], aaaa: [], rcode: 'NOERROR' as const, silent: false, ttls: [5], asked: 0 };
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  const server: FakeResolver = { ...fake, ...change, address: `127.0.0.1:${socket.address().port}` };
  socket.on('message', (message, from) => {
    server.asked++;
    if (server.silent) return;
    const { id = 0, questions = [] } = decode(message);
    const [ttl = 0, ...later] = server.ttls;
    if (later.length > 0) server.ttls = later;
    const { name = '', type } = questions[0] ?? {};
    const flags = RECURSION_AVAILABLE | rcodes[server.rcode];
    const answers = server.rcode === 'NOERROR' ? answersTo(server, { name, type, ttl }) : [];
    socket.send(encode({ type: 'response', id, flags, questions, answers }), from.port, from.address);
  });
  return server;
}

function answersTo(
  { text, a, aaaa }: FakeResolver,
  { name, type, ttl }: { readonly name: string; readonly type: string | undefined; readonly ttl: number },
): Answer[] {
  switch (type) {
    case 'A':
      return a.map((data) => ({ type: 'A', name, ttl, data }));
    case 'AAAA':
      return aaaa.map((data) => ({ type: 'AAAA', name, ttl, data }));
    default:
      return [{ type: 'TXT', name, ttl, data: text }];
  }
}

export const east = 'v=1; region=us-east-1; stream=orders';
export const west = 'v=1; region=us-west-2; stream=orders';
