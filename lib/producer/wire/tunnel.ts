import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIPv6, type LookupFunction, type Socket } from 'node:net';
import { ProxyError } from './errors.ts';
import { proxyName } from './proxy.ts';

export interface TunnelOptions {
  readonly proxy: URL;
  /** Where the tunnel leads. The proxy looks the name up. */
  readonly host: string;
  readonly port: number;
  /** From looking the proxy's name up to its answer. */
  readonly timeoutMs: number;
  readonly lookup?: LookupFunction | undefined;
}

const HTTP_OK = 200;

/**
 * Connects to a host through an HTTP proxy, with CONNECT. The proxy sees the host and the port, and no more if the socket is
 * used for TLS. Agents from libraries wait for a proxy's answer without limit, and a proxy that hangs would take one
 * connection after the other for good.
 *
 * @throws ProxyError
 */
export function openTunnel({ proxy, host, port, timeoutMs, lookup }: TunnelOptions): Promise<Socket> {
  const authority = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port === '' ? undefined : proxy.port,
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...authorization(proxy) },
    agent: false,
    ...(lookup === undefined ? {} : { lookup }),
  });
  return new Promise((resolve, reject) => {
    const fail = (
      what: string,
      why: { readonly status?: number | undefined; readonly cause?: unknown },
    ): void => {
      clearTimeout(timer);
      request.destroy();
      reject(new ProxyError(`The proxy ${proxyName(proxy)} ${what} when asked for ${authority}.`, why));
    };
    const failWith = (status: number | undefined): void => fail(`answered ${status}`, { status });
    const timer = setTimeout(() => fail(`did not answer within ${timeoutMs} ms`, {}), timeoutMs);
    request.once('connect', ({ statusCode }: IncomingMessage, socket: Socket, head: Buffer) => {
      if (statusCode !== HTTP_OK) {
        socket.destroy();
        return failWith(statusCode);
      }
      clearTimeout(timer);
      if (head.length > 0) socket.unshift(head);
      return resolve(socket);
    });
    request.once('response', ({ statusCode }) => failWith(statusCode));
    request.on('error', (cause) => fail(`failed (${cause.message})`, { cause }));
    request.end();
  });
}

function authorization({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
}
