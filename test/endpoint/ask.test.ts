import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { CheckedEndpoint } from '../../lambda/core/endpoint-items.ts';
import { askEndpoint } from '../../lib/endpoint/ask.ts';
import { loopbackCertificate } from '../producer/sink/certificate.ts';

const HOST = 'abc.lambda-url.us-west-2.on.aws';
const TIMEOUT_MS = 5_000;
const servers: Server[] = [];
const sockets = new Set<Socket>();
const trusted = getCACertificates();

afterEach(async () => {
  setDefaultCACertificates(trusted);
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, 'close');
  }
});

async function listen<Some extends Server>(server: Some): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const endpoint = (host = HOST): CheckedEndpoint => ({
  kind: 'vote',
  of: 'us-west-2',
  host,
  path: '/vote',
  checkId: 'check-1',
  atMs: 1,
});
async function asked(listener: RequestListener, timeoutMs = TIMEOUT_MS) {
  const port = await listen(createServer(listener));
  return askEndpoint(endpoint(), { origin: new URL(`http://127.0.0.1:${port}`), timeoutMs });
}
const took = async <Value>(act: Promise<Value>): Promise<readonly [Value, number]> => {
  const startedMs = performance.now();
  return [await act, performance.now() - startedMs];
};

describe('an endpoint that is asked as a checker asks', () => {
  it('gets a GET for the path of its check, under its own name, wherever the connection goes', async () => {
    const seen: unknown[] = [];
    const answer = await asked((request, response) => {
      seen.push([request.method, request.url, request.headers.host]);
      response.end('vote=HOLD'.padEnd(32));
    });
    expect(answer).toEqual({ got: 'answer', status: 200, text: 'vote=HOLD'.padEnd(32) });
    expect(seen).toEqual([['GET', '/vote', HOST]]);
  });

  it('answers with a status that is no success, with or without a body that comes', async () => {
    expect(await asked((_, response) => void response.writeHead(429).end('{}'))).toMatchObject({
      status: 429,
    });
    const stalls: RequestListener = (_, response) =>
      void response.writeHead(403, { 'content-length': 9 }).write('x');
    expect(await asked(stalls)).toMatchObject({ got: 'answer', status: 403 });
  });

  it('leads nowhere by a redirect', async () => {
    let others = 0;
    const elsewhere = await listen(
      createServer((_, response) => {
        others++;
        response.end('vote=HOLD');
      }),
    );
    const answer = await asked((_, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${elsewhere}/vote` }).end(),
    );
    expect(answer).toMatchObject({ got: 'answer', status: 302 });
    expect(others).toBe(0);
  });

  it('is heard for the first bytes alone, however much it says', async () => {
    const answer = await asked((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    expect(answer.got === 'answer' && answer.text.length).toBeLessThan(200_000);
  });

  it('is too late after two seconds without a status, or without the end of a body', async () => {
    const [silent, stalling] = await Promise.all([
      took(asked(() => undefined)),
      took(asked((_, response) => void response.writeHead(200).write('vote='))),
    ]);
    for (const [answer, ms] of [silent, stalling]) {
      expect(answer).toEqual({ got: 'too late' });
      expect(ms).toBeGreaterThan(1_950);
      expect(ms).toBeLessThan(3_500);
    }
  });

  it('is not waited for longer than the asker will', async () => {
    const [answer, ms] = await took(asked(() => undefined, 200));
    expect(answer).toEqual({ got: 'too late' });
    expect(ms).toBeLessThan(1_000);
  });

  it('is nobody when the connection is refused or breaks, and when the name does not resolve', async () => {
    const port = await listen(createServer());
    servers[0]?.close();
    const origin = new URL(`http://127.0.0.1:${port}`);
    const nobody = (options: { origin?: URL }) =>
      askEndpoint(endpoint('gone.invalid'), { timeoutMs: TIMEOUT_MS, ...options });
    expect(await nobody({ origin })).toEqual({ got: 'nothing', problem: 'ECONNREFUSED' });
    expect(await asked((request) => request.socket.resetAndDestroy())).toEqual({
      got: 'nothing',
      problem: 'ECONNRESET',
    });
    expect(await nobody({})).toMatchObject({ got: 'nothing', problem: expect.stringMatching(/^E/) });
  });

  it('is asked by TLS with its name, and believed only with a certificate that is valid', async () => {
    const { key, cert } = await loopbackCertificate();
    const names: string[] = [];
    const port = await listen(
      createTlsServer({
        key,
        cert,
        SNICallback: (name, done) => {
          names.push(name);
          done(null);
        },
      }).on('request', (_, response) => void response.end('vote=HOLD')),
    );
    const ask = () => askEndpoint(endpoint(`localhost:${port}`), { timeoutMs: TIMEOUT_MS });
    expect(await ask()).toEqual({ got: 'nothing', problem: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    setDefaultCACertificates([cert]);
    expect(await ask()).toEqual({ got: 'answer', status: 200, text: 'vote=HOLD' });
    expect(names).toEqual(['localhost', 'localhost']);
  });
});
