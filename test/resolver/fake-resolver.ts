import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode, RECURSION_AVAILABLE } from 'dns-packet';
import { onTestFinished } from 'vitest';

const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/** What a DNS server answers to every question; change it at any time. */
export interface FakeResolver {
  readonly address: string;
  text: string;
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
  const fake = { text: '', rcode: 'NOERROR' as const, silent: false, ttls: [5], asked: 0, ...change };
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  const server: FakeResolver = { ...fake, address: `127.0.0.1:${socket.address().port}` };
  socket.on('message', (message, from) => {
    server.asked++;
    if (server.silent) return;
    const { id = 0, questions = [] } = decode(message);
    const [ttl = 0, ...later] = server.ttls;
    if (later.length > 0) server.ttls = later;
    const answer = { type: 'TXT' as const, name: questions[0]?.name ?? '', ttl, data: server.text };
    const flags = RECURSION_AVAILABLE | rcodes[server.rcode];
    const answers = server.rcode === 'NOERROR' ? [answer] : [];
    socket.send(encode({ type: 'response', id, flags, questions, answers }), from.port, from.address);
  });
  return server;
}

export const east = 'v=1; region=us-east-1; stream=orders';
export const west = 'v=1; region=us-west-2; stream=orders';
