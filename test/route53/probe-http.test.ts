import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { EndpointCheck } from '../../lib/route53/health-check.ts';
import { probe } from '../../lib/route53/probe-http.ts';
import { responseLimits } from '../../lib/route53/response.ts';
import { endpointCheck } from './design-tree.ts';

const sockets = new Set<Socket>();
const servers: Server[] = [];
async function listen(server: Server): Promise<URL> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

const match = endpointCheck('vote');
const status = endpointCheck('plain', { type: 'HTTP' });
Reflect.deleteProperty(status, 'searchString');
const run = (check: EndpointCheck, origin: URL, signal = new AbortController().signal) =>
  probe({ check, target: { origin, hostHeader: 'vote.example.net' }, signal, now: () => performance.now() });
const serve = (listener: RequestListener) => listen(createHttpServer(listener));

describe('a probe', () => {
  it('asks for the path with the Host header it is given, on a connection of its own', async () => {
    const seen: unknown[] = [];
    const origin = await serve((request, response) => {
      seen.push([request.method, request.url, request.headers.host, request.headers.connection]);
      response.end('vote=HOLD');
    });
    const outcome = await run(match, origin);
    expect(outcome).toMatchObject({ reached: 'body', status: 200, body: Buffer.from('vote=HOLD') });
    expect(seen).toEqual([['GET', '/vote', 'vote.example.net', 'close']]);
    expect(sockets.size).toBe(0);
  });

  it('follows no redirect and reads no body unless a string is searched for', async () => {
    const origin = await serve((_, response) =>
      response.writeHead(302, { location: '/elsewhere' }).end('moved'),
    );
    expect(await run(status, origin)).toMatchObject({ reached: 'status', status: 302 });
  });

  it('stops reading a body after the bytes that are searched', async () => {
    const origin = await serve((_, response) => {
      response.write('x'.repeat(responseLimits.bodyBytes));
      response.write('y');
    });
    const outcome = await run(match, origin);
    expect(outcome.reached === 'body' && outcome.body.byteLength >= responseLimits.bodyBytes).toBe(true);
  });

  it('reaches nothing on a refused connection', async () => {
    const server = createServer();
    const origin = await listen(server);
    server.close();
    await once(server, 'close');
    expect(await run(match, origin)).toEqual({ reached: 'nothing', problem: 'ECONNREFUSED' });
  });

  it('reaches the connection when the endpoint hangs up or speaks something else', async () => {
    const hangsUp = await listen(createServer((socket) => socket.once('data', () => socket.destroy())));
    expect(await run(match, hangsUp)).toMatchObject({ reached: 'connection', problem: 'ECONNRESET' });
    const noHttp = await listen(
      createServer((socket) => socket.once('data', () => socket.end('hello\r\n\r\n'))),
    );
    expect(await run(match, noHttp)).toMatchObject({ reached: 'connection' });
  });

  it('reaches the status when the body breaks off', async () => {
    const origin = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('vote=EVACUATE', () => response.destroy());
    });
    expect(await run(match, origin)).toMatchObject({ reached: 'status', status: 200 });
  });

  it('gives up 2 s after the connection without a status, and 2 s after the status without a body', async () => {
    const silent = await serve(() => undefined);
    const stalling = await serve((_, response) => void response.writeHead(200).write('vote=EVA'));
    const startMs = performance.now();
    const [noStatus, noBody] = await Promise.all([run(match, silent), run(match, stalling)]);
    const elapsedMs = performance.now() - startMs;
    expect(noStatus).toMatchObject({ reached: 'connection' });
    expect(noBody).toMatchObject({ reached: 'status', status: 200 });
    expect(elapsedMs).toBeGreaterThan(1_950);
    expect(elapsedMs).toBeLessThan(3_500);
  });

  it('ends at once when aborted', async () => {
    const origin = await serve(() => undefined);
    const stop = new AbortController();
    const running = run(match, origin, stop.signal);
    await once(servers[0] as Server, 'connection');
    const startMs = performance.now();
    stop.abort();
    await running;
    expect(performance.now() - startMs).toBeLessThan(1_500);
  });

  it('only connects for a TCP check', async () => {
    const origin = await listen(createServer());
    expect(await run(endpointCheck('tcp', { type: 'TCP' }), origin)).toMatchObject({ reached: 'connection' });
  });

  it('speaks TLS to an https: origin, whose handshake falls into the time for the status', async () => {
    const first = Promise.withResolvers<number | undefined>();
    const origin = await listen(
      createServer((socket) =>
        socket.once('data', (bytes) => {
          first.resolve(bytes[0]);
          socket.destroy();
        }),
      ),
    );
    const outcome = await run(match, new URL(`https://127.0.0.1:${origin.port}`));
    // The record type of a handshake.
    expect(await first.promise).toBe(0x16);
    expect(outcome).toMatchObject({ reached: 'connection' });
  });

  it('refuses an origin that speaks no HTTP', () => {
    expect(() => run(match, new URL('ftp://127.0.0.1'))).toThrow(/http:/);
  });
});
