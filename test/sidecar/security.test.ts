import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLoopback, removeStale } from '../../lib/sidecar/addresses.ts';
import { certificateFiles, ownCertificate } from '../../lib/sidecar/certificate.ts';
import { Sidecar } from '../../lib/sidecar/sidecar.ts';
import { base64, contentTypes, send } from './ask.ts';
import { ordersCell, type SidecarWorld, startSidecarWorld } from './world.ts';

let directory: string;
let world: SidecarWorld | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-sidecar-'));
});
afterEach(async () => {
  await world?.close();
  world = undefined;
  await rm(directory, { recursive: true, force: true });
});

const tls = { key: '', cert: '' };
const cells = [ordersCell('127.0.0.1:1')];

/** The status of GET /healthz, or the code of the error. */
function health(
  options: RequestOptions & { readonly ca?: string | Buffer; readonly cert?: string; readonly key?: string },
): Promise<unknown> {
  const ask = options.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const agent = options.protocol === 'https:' ? new HttpsAgent() : new Agent();
    ask({ path: '/healthz', ...options, agent }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', ({ code }: NodeJS.ErrnoException) => resolve(code))
      .end();
  });
}

describe('where a sidecar listens', () => {
  it.each([
    ['nowhere', {}, /--listen 127\.0\.0\.1:4567/],
    ['on every address', { listen: { host: '0.0.0.0', port: 0 } }, /whoever can connect can write/],
    [
      'on another address, without certificates',
      { listen: { host: '10.0.0.1', port: 0 }, allowRemote: true },
      /--client-ca/,
    ],
  ])('is not %s', (_, options, message) => {
    expect(() => new Sidecar({ cells, producer: {}, tls, ...options })).toThrow(message);
  });

  it.each([
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['127.0.0.1.example.com', false],
  ])('%s is loopback: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });

  it('is a Unix socket of this user alone, also over one that a killed process left', async () => {
    const socket = join(directory, 'spillway.sock');
    world = await startSidecarWorld({ socket });
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
    expect(await health({ socketPath: socket })).toBe(200);
    const second = new Sidecar({
      cells: [ordersCell(world.dns.address)],
      producer: {},
      tls: await ownCertificate(directory, Date.now()),
      socket,
    });
    await expect(second.start()).rejects.toThrow(/Another process listens/);
    await second.close({ timeoutMs: 100 });
  });
});

describe('the certificate of a sidecar', () => {
  it('is made once, for loopback, with a key that only its owner reads', async () => {
    const first = await ownCertificate(directory, Date.now());
    expect(await ownCertificate(directory, Date.now())).toEqual(first);
    expect((await stat(join(directory, certificateFiles.key))).mode & 0o777).toBe(0o600);
    const leaf = new X509Certificate(first.cert);
    const ca = new X509Certificate(await readFile(first.caFile));
    expect([leaf.ca, ca.ca, leaf.verify(ca.publicKey)]).toEqual([false, true, true]);
    expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(leaf.checkHost('localhost')).toBe('localhost');
  });

  it('is made anew before it expires, and when it is no certificate', async () => {
    const first = await ownCertificate(directory, Date.now());
    const later = new X509Certificate(first.cert).validToDate.getTime() - 24 * 60 * 60_000;
    const second = await ownCertificate(directory, later);
    expect(second.cert).not.toBe(first.cert);
    await writeFile(join(directory, certificateFiles.cert), 'damaged');
    expect((await ownCertificate(directory, later)).cert).toMatch(/BEGIN CERTIFICATE/);
  });
});

describe('a sidecar with --client-ca', () => {
  it('takes TLS alone, from clients that show a certificate of that authority', async () => {
    const authority = await generate([{ name: 'commonName', value: 'clients' }], {
      extensions: [{ name: 'basicConstraints', cA: true }],
    });
    const client = await generate([{ name: 'commonName', value: 'app' }], {
      ca: { key: authority.private, cert: authority.cert },
    });
    const own = await ownCertificate(directory, Date.now());
    world = await startSidecarWorld({ tls: { key: own.key, cert: own.cert, clientCa: authority.cert } });
    const port = Number(new URL(world.url).port);
    const ca = await readFile(own.caFile);
    const https = { protocol: 'https:', host: '127.0.0.1', port, ca };
    expect(await health({ ...https, cert: client.cert, key: client.private })).toBe(200);
    expect(await health(https)).not.toBe(200);
    const stranger = await generate([{ name: 'commonName', value: 'app' }]);
    expect(await health({ ...https, cert: stranger.cert, key: stranger.private })).not.toBe(200);
    expect(await health({ host: '127.0.0.1', port })).toBe('ECONNRESET');
  });
});

describe('the admin listener', () => {
  it('has health and metrics, and takes no records', async () => {
    world = await startSidecarWorld({ admin: { host: '127.0.0.1', port: 0 } });
    const url = `http://127.0.0.1:${world.adminPort}`;
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('spillway_sidecar_connections');
    const headers = { 'x-amz-target': 'Kinesis_20131202.PutRecord' };
    expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(404);
  });
});

describe('a connection that is none of HTTP', () => {
  it('is closed, and does not disturb others', async () => {
    world = await startSidecarWorld();
    const socket = connect(Number(new URL(world.url).port), '127.0.0.1');
    socket.write('\x00\x01\x02\x03\r\n\r\n');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => {});
    socket.resume();
    await closed;
    expect(await health({ host: '127.0.0.1', port: Number(new URL(world.url).port) })).toBe(200);
  });
});

describe('a page in a browser', () => {
  const put = JSON.stringify({ StreamName: 'orders', PartitionKey: 'k', Data: base64('x') });
  const headers = { 'content-type': contentTypes.json, 'x-amz-target': 'Kinesis_20131202.PutRecord' };

  it.each([
    ['Origin', { origin: 'http://attacker.example' }],
    ['Sec-Fetch-Site', { 'sec-fetch-site': 'same-origin' }],
  ])('cannot write: it sends %s', async (_, said) => {
    world = await startSidecarWorld();
    const { url } = world;
    const refused = await send(url, { ...headers, ...said }, put);
    expect(refused).toMatchObject({ status: 400, document: { __type: 'AccessDeniedException' } });
    expect((await send(url, headers, put)).status).toBe(200);
  });
});

describe('the path of a socket', () => {
  it('that leads to a file is refused, and the file stays', async () => {
    const path = join(directory, 'precious.json');
    await writeFile(path, 'mine');
    await expect(removeStale(path)).rejects.toThrow(/no socket/);
    expect(await readFile(path, 'utf8')).toBe('mine');
  });
});
