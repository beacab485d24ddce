import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import dnsPacket, { type DecodedPacket, type RecordType } from 'dns-packet';
import { DnsQuestionError } from './errors.ts';

export interface ServerQuestion {
  /** `address`, `address:port` or `[address]:port`, as `Resolver.getServers` gives them. */
  readonly server: string;
  readonly name: string;
  readonly type: Extract<RecordType, 'TXT' | 'NS'>;
  readonly timeoutMs: number;
  /** For a resolver, which asks others; a server of the zone knows by itself. */
  readonly recursive: boolean;
  readonly abortSignal?: AbortSignal;
}

/**
 * Asks one server over UDP and gives the whole answer, TTLs, flags and referrals included, of which node:dns shows none.
 *
 * @throws DnsQuestionError when it cannot be reached, does not answer in time, or is not asked any more.
 */
export async function askServer(question: ServerQuestion): Promise<DecodedPacket> {
  const { server, name, type, timeoutMs, recursive, abortSignal } = question;
  const { address, port } = addressOf(server);
  const id = randomInt(65_536);
  const flags = recursive ? dnsPacket.RECURSION_DESIRED : 0;
  const query = dnsPacket.encode({ type: 'query', id, flags, questions: [{ type, name }] });
  const { promise, resolve, reject } = Promise.withResolvers<DecodedPacket>();
  const fail = (why: string, cause?: unknown): void =>
    reject(new DnsQuestionError(`${server}: ${why}`, cause === undefined ? {} : { cause }));
  const aborted = (): void => fail('not asked any more');
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
  try {
    abortSignal?.throwIfAborted();
    abortSignal?.addEventListener('abort', aborted, { once: true });
    socket.on('error', (error) => fail(error.message, error));
    socket.on('message', (datagram) => {
      const answer = decoded(datagram);
      if (answer?.id === id && answer.flag_qr) resolve(answer);
    });
    // A connected socket takes datagrams of this server alone, and hears that nobody listens there.
    socket.connect(port, address, () => socket.send(query));
    return await promise;
  } finally {
    clearTimeout(timer);
    abortSignal?.removeEventListener('abort', aborted);
    socket.close();
  }
}

/** Text and TTL of a TXT answer; several records have the longest TTL. Undefined when there is none. */
export function txtOf({ answers = [] }: DecodedPacket): TxtAnswer | undefined {
  const texts = answers.flatMap((answer) => (answer.type === 'TXT' ? [answer] : []));
  if (texts.length === 0) return undefined;
  return {
    text: texts.map(({ data }) => [data].flat().join('')).join('\n'),
    ttlSeconds: Math.max(...texts.map(({ ttl = 0 }) => ttl)),
  };
}

export interface TxtAnswer {
  readonly text: string;
  readonly ttlSeconds: number;
}

const DNS_PORT = 53;
const bracketed = /^\[([^\]]+)\](?::(\d+))?$/;

function addressOf(server: string): { readonly address: string; readonly port: number } {
  if (isIPv6(server)) return { address: server, port: DNS_PORT };
  const [, inside, itsPort] = bracketed.exec(server) ?? [];
  const [plain = '', port] = inside === undefined ? server.split(':') : [inside, itsPort];
  return { address: plain, port: port === undefined ? DNS_PORT : Number(port) };
}

/** What is no DNS message is no answer; the right one may still come. */
function decoded(datagram: Buffer): DecodedPacket | undefined {
  try {
    return dnsPacket.decode(datagram);
  } catch {
    return undefined;
  }
}
