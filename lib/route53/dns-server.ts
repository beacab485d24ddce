import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import type { AnsweredRecord, DnsAnswer, DnsQuery } from './answer.ts';
import { replyTo } from './dns-message.ts';
import { DnsServerError } from './errors.ts';

export interface DnsServerOptions {
  readonly host?: string;
  /** 0 (the default) takes a free port. */
  readonly port?: number;
  /** Called for each query; if it throws, the answer is SERVFAIL. */
  readonly answerer: (query: DnsQuery) => DnsAnswer;
  /** The zone's SOA record, for negative answers. Called each time, because the zone may be read again. */
  readonly soa?: () => AnsweredRecord | undefined;
  readonly onQuery?: (query: DnsQuery, answer: DnsAnswer) => void;
}

export interface DnsServer {
  /** `host:port`, as `dns.Resolver.setServers` takes it. */
  readonly address: string;
  /** Queries answered so far. */
  readonly queries: number;
  close(): Promise<void>;
}

/**
 * An authoritative DNS server over UDP. There is no TCP: an answer that does not fit is marked truncated, and a
 * resolver that then retries over TCP is refused.
 * @throws DnsServerError if the address cannot be bound.
 */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { host = '127.0.0.1', port = 0 } = options;
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  let queries = 0;
  socket.on('message', (datagram: Buffer, sender: RemoteInfo) => {
    const { response, query, answer } = replyTo(datagram, options.answerer, options.soa?.());
    if (query && answer) {
      queries += 1;
      options.onQuery?.(query, answer);
    }
    // UDP may lose a datagram anyway: after a failed send the resolver retries.
    if (response && sender.port > 0) socket.send(response, sender.port, sender.address, () => undefined);
  });
  try {
    const listening = once(socket, 'listening');
    socket.bind(port, host);
    await listening;
  } catch (cause) {
    socket.close();
    throw new DnsServerError(
      `The DNS server cannot listen on ${host}:${port} (${String(cause)}). Choose another port, or 0 for a free one.`,
      { cause },
    );
  }
  // A later socket error must not end the process; a resolver sees a time-out and asks again.
  socket.on('error', () => undefined);
  const bound = socket.address();
  const closed = new Promise<void>((resolve) => socket.once('close', resolve));
  let closing = false;
  return {
    address: bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`,
    get queries() {
      return queries;
    },
    close: async () => {
      if (!closing) socket.close();
      closing = true;
      await closed;
    },
  };
}
