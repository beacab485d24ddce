import { once } from 'node:events';
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { createServer as createNetServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { Arrivals } from './arrivals.ts';
import type { SidecarTls } from './options.ts';

export type OnRequest = (request: IncomingMessage, response: ServerResponse, arrivals: Arrivals) => void;

export interface ListenerOptions {
  readonly tls: SidecarTls;
  /** Refuse what is not TLS. */
  readonly tlsOnly: boolean;
  readonly maxConnections: number;
  readonly onRequest: OnRequest;
}

/** Names of the protocols in ALPN. */
const HTTP2 = 'h2';
const HTTP1 = 'http/1.1';
/** First byte of a TLS record that carries a handshake. */
const TLS_HANDSHAKE = 0x16;
/** HTTP/2 without TLS begins with `PRI * HTTP/2.0`, and no method of HTTP/1.1 that is served begins so. */
const PREFACE = 'PR';
/** An idle connection is closed after this time: longer than the pools of the SDKs keep one. */
const IDLE_MS = 120_000;
/** Headers and whole requests of HTTP/1.1 that take longer end their connection. */
const WATCH = { headersTimeout: 20_000, requestTimeout: 60_000, connectionsCheckingInterval: 5_000 } as const;
/** Until a connection says what it speaks. */
const FIRST_BYTES_MS = 10_000;
const MAX_STREAMS = 256;
/** A window of HTTP/2 that holds a usual request, so that it arrives without waiting for leave. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const SESSION_WINDOW_BYTES = 16 * 1024 * 1024;

/** HTTP/1.1 and HTTP/2, with and without TLS, on one address: the first bytes of a connection say which it is. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #http: HttpServer;
  readonly #http2: Http2Server;
  readonly #secure: TlsServer;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #arrivals = new WeakMap<object, Arrivals>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { key, cert, clientCa } = options.tls;
    const settings = { maxConcurrentStreams: MAX_STREAMS, initialWindowSize: STREAM_WINDOW_BYTES };
    const onRequest = (request: object, response: object): void =>
      this.#onRequest(request as IncomingMessage, response as ServerResponse);
    this.#http = createServer({ keepAliveTimeout: IDLE_MS, ...WATCH }, onRequest);
    this.#http2 = createHttp2Server({ settings }, onRequest);
    this.#secure = createTlsServer(
      {
        key,
        cert,
        ALPNProtocols: [HTTP2, HTTP1],
        minVersion: 'TLSv1.2',
        ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
      },
      (socket) => this.#onSecure(socket),
    );
    this.#http.timeout = IDLE_MS;
    // Starts Node's watch over headers and requests that take too long, which waits for a server that listens by itself.
    this.#http.emit('listening');
    // For HTTP/1.1 over TLS; the option of this name is for servers of HTTP/1.1 alone.
    Object.assign(this.#secure, { keepAliveTimeout: IDLE_MS });
    this.#http.on('clientError', (_, socket) => {
      if (socket.writable) socket.write('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      // A client that goes on sending would keep a connection that is only ended.
      (socket as Socket).destroySoon();
    });
    this.#http2.setTimeout(IDLE_MS);
    this.#http2.on('session', (session) => this.#onSession(session));
    this.#http2.on('sessionError', () => {});
    // A client that does not trust the certificate, or shows none: its connection is closed.
    this.#secure.on('tlsClientError', (_, socket) => socket.destroy());
    this.#server = createNetServer({ noDelay: true }, (socket) => this.#onConnection(socket));
    this.#server.maxConnections = options.maxConnections;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async listen(where: ListenOptions): Promise<ReturnType<Server['address']>> {
    const failed = once(this.#server, 'error').then(([error]) => Promise.reject(error));
    this.#server.listen(where);
    await Promise.race([once(this.#server, 'listening'), failed]);
    failed.catch(() => {});
    return this.#server.address();
  }

  /** Takes no more connections, and tells HTTP/2 clients to send no more requests. */
  stopAccepting(): void {
    this.#server.close();
    for (const session of this.#sessions) session.close();
  }

  /** Ends every connection. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroySoon();
    this.#http.close();
  }

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    this.#read(socket, (first) => {
      if (first[0] === TLS_HANDSHAKE) return this.#secure;
      return this.#options.tlsOnly ? undefined : this.#spoken(first);
    });
  }

  /** The AWS SDK for Java speaks HTTP/2 without having agreed on it by ALPN. */
  #onSecure(socket: TLSSocket): void {
    socket.on('error', () => {});
    if (socket.alpnProtocol === HTTP2) this.#http2.emit('connection', socket);
    else if (socket.alpnProtocol === HTTP1) this.#http.emit('connection', socket);
    else {
      this.#read(socket, (first) => {
        const server = this.#spoken(first);
        // Node takes no HTTP/2 on a TLS connection that says otherwise.
        if (server === this.#http2) socket.alpnProtocol = HTTP2;
        return server;
      });
    }
  }

  /** Gives the connection to a server once its first bytes are there, which say what it speaks. */
  #read(socket: Socket, serverFor: (first: Buffer) => Server | undefined): void {
    const timer = setTimeout(() => socket.destroy(), FIRST_BYTES_MS);
    const read = (earlier: Buffer) => (chunk: Buffer) => {
      const first = earlier.length === 0 ? chunk : Buffer.concat([earlier, chunk]);
      if (first.length < PREFACE.length && first[0] === PREFACE.charCodeAt(0)) {
        socket.once('data', read(first));
        return;
      }
      clearTimeout(timer);
      socket.pause();
      socket.unshift(first);
      serverFor(first)?.emit('connection', socket) ?? socket.destroy();
      process.nextTick(() => socket.resume());
    };
    socket.once('data', read(Buffer.alloc(0)));
  }

  #spoken(first: Buffer): HttpServer | Http2Server {
    return first.toString('latin1', 0, PREFACE.length) === PREFACE ? this.#http2 : this.#http;
  }

  #onSession(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    session.once('close', () => this.#sessions.delete(session));
    session.on('error', () => {});
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => {});
    const { stream } = request as unknown as { readonly stream?: { readonly session?: object } };
    const connection = stream?.session ?? request.socket;
    let arrivals = this.#arrivals.get(connection);
    if (arrivals === undefined) {
      arrivals = new Arrivals();
      this.#arrivals.set(connection, arrivals);
    }
    this.#options.onRequest(request, response, arrivals);
  }
}
