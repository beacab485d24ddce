import type { LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { hostLookup } from '../../resolver/host-lookup.ts';
import { type ProxyChoice, proxyFor } from './proxy.ts';
import { openTunnel } from './tunnel.ts';

/** How this process reaches other hosts. */
export interface Network {
  readonly proxy?: ProxyChoice | undefined;
  /** Looks up the hosts that are connected to. Default: node's. */
  readonly lookup?: LookupFunction | undefined;
}

/** The network as the options have it, with lookups that take no thread from the spool's disk. */
export const networkOf = ({ proxy, lookup = hostLookup }: Network): Network => ({ proxy, lookup });

/** Makes the connections of undici to one origin. `timeoutMs` bounds each step of making one. */
export function connectorTo(
  origin: string,
  { timeoutMs, network }: { readonly timeoutMs: number; readonly network: Network },
): buildConnector.connector {
  const { proxy: choice, lookup } = network;
  const proxy = proxyFor(new URL(origin), choice);
  const connect = buildConnector({ timeout: timeoutMs, ...(lookup === undefined ? {} : { lookup }) });
  if (proxy === undefined) return connect;
  return (options, callback) => {
    const { hostname, protocol } = options;
    const port = Number(options.port || (protocol === 'https:' ? 443 : 80));
    openTunnel({ proxy, host: hostname.replace(/^\[|\]$/g, ''), port, timeoutMs, lookup }).then(
      (socket) => {
        if (protocol === 'https:') connect({ ...options, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (error: Error) => callback(error, null),
    );
  };
}
