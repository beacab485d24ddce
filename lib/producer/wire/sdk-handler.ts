import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from 'node:https';
import type { NetConnectOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import tls, { type ConnectionOptions } from 'node:tls';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Network } from './network.ts';
import { proxyFor } from './proxy.ts';
import { openTunnel } from './tunnel.ts';

export interface SdkHandlerOptions {
  /** Per host. */
  readonly maxSockets: number;
  readonly timeoutMs: number;
  readonly network: Network;
}

/**
 * The HTTP handler for clients of the SDK: keep-alive over HTTP/1.1 (the SDK's default handler for Kinesis opens a new TLS
 * session for each call), with a time-out, and over the same network as the producer's own transport.
 */
export function sdkHandler({ maxSockets, timeoutMs, network }: SdkHandlerOptions): NodeHttpHandler {
  const { lookup } = network;
  const options = { keepAlive: true, maxSockets, ...(lookup === undefined ? {} : { lookup }) };
  const tunnels = { timeoutMs, network };
  return new NodeHttpHandler({
    httpAgent: new TunnellingHttpAgent(options, tunnels),
    httpsAgent: new TunnellingHttpsAgent(options, tunnels),
    connectionTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    throwOnRequestTimeout: true,
  });
}

type Tunnels = Pick<SdkHandlerOptions, 'timeoutMs' | 'network'>;
type OnConnection = (error: Error | null, socket: Duplex) => void;

class TunnellingHttpAgent extends HttpAgent {
  readonly #tunnels: Tunnels;

  constructor(options: AgentOptions, tunnels: Tunnels) {
    super(options);
    this.#tunnels = tunnels;
  }

  override createConnection(options: NetConnectOpts, onConnection?: OnConnection): Duplex | undefined {
    const tunnel = tunnelTo('http:', options, this.#tunnels);
    if (tunnel === undefined) return super.createConnection(options, onConnection) ?? undefined;
    hand(tunnel, onConnection, (socket) => socket);
    return undefined;
  }
}

class TunnellingHttpsAgent extends HttpsAgent {
  readonly #tunnels: Tunnels;

  constructor(options: HttpsAgentOptions, tunnels: Tunnels) {
    super(options);
    this.#tunnels = tunnels;
  }

  override createConnection(
    options: ConnectionOptions & NetConnectOpts,
    onConnection?: OnConnection,
  ): Duplex | undefined {
    const tunnel = tunnelTo('https:', options, this.#tunnels);
    if (tunnel === undefined) return super.createConnection(options as never, onConnection) ?? undefined;
    hand(tunnel, onConnection, (socket) => tls.connect({ ...options, socket }));
    return undefined;
  }
}

function tunnelTo(
  protocol: string,
  options: NetConnectOpts,
  { timeoutMs, network }: Tunnels,
): Promise<Socket> | undefined {
  const { host = 'localhost', port } = options as { readonly host?: string; readonly port: number | string };
  const name = host.includes(':') ? `[${host}]` : host;
  const proxy = proxyFor(new URL(`${protocol}//${name}:${port}`), network.proxy);
  return proxy && openTunnel({ proxy, host, port: Number(port), timeoutMs, lookup: network.lookup });
}

function hand(
  tunnel: Promise<Socket>,
  onConnection: OnConnection | undefined,
  wrap: (socket: Socket) => Duplex,
): void {
  tunnel.then(
    (socket) => onConnection?.(null, wrap(socket)),
    // With an error, no socket is looked at.
    (error: Error) => onConnection?.(error, undefined as never),
  );
}
