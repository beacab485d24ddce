import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** What the proxy does with the next CONNECT. `tunnel`: connects, whatever the host, to the port given. */
export type ProxyBehaviour =
  | { readonly kind: 'tunnel'; readonly port: number }
  | { readonly kind: 'answer'; readonly status: number }
  | { readonly kind: 'hang' };

export interface ConnectProxy {
  readonly url: string;
  /** Targets of CONNECT, in order. */
  readonly asked: string[];
  readonly authorizations: (string | undefined)[];
  behaviour: ProxyBehaviour;
  close(): void;
}

/** An HTTP proxy on a real socket that takes CONNECT alone. */
export async function startConnectProxy(behaviour: ProxyBehaviour): Promise<ConnectProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((_request, response) => void response.writeHead(405).end());
  server.on('connection', keep);
  server.on('connect', ({ url = '', headers }: IncomingMessage, client: Socket) => {
    proxy.asked.push(url);
    proxy.authorizations.push(headers['proxy-authorization']);
    const does = proxy.behaviour;
    if (does.kind === 'hang') return;
    if (does.kind === 'answer') {
      client.end(`HTTP/1.1 ${does.status} As Asked\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const target = keep(
      connect(does.port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connected\r\n\r\n');
        target.pipe(client).pipe(target);
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: ConnectProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    authorizations: [],
    behaviour,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return proxy;
}
