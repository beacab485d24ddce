import { execFile, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import dns from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { beaconCalls } from '../../lib/producer/beacons/beacon-calls.ts';
import type { ProducerOptions } from '../../lib/producer/index.ts';
import { sdkTransport } from '../../lib/producer/sdk-transport.ts';
import { fastTransport } from '../../lib/producer/wire/fast-transport.ts';
import { startFakeResolver } from '../resolver/fake-resolver.ts';
import { startConnectProxy } from './connect-proxy.ts';

const fixture = fileURLToPath(new URL('./fixtures/spool-beside-lookups.ts', import.meta.url));
const identity = { accessKeyId: 'AKIDONE', secretAccessKey: 'secret' };
const limits = { maxInFlight: 2, requestTimeoutMs: 3_000 };

describe('hosts of AWS', () => {
  /** A server whose host only our DNS server knows. */
  async function start() {
    const hosts: string[] = [];
    const server = createServer((request, response) => {
      request.resume();
      hosts.push(new URL(`http://${request.headers.host}`).hostname);
      response.writeHead(400, { 'x-amzn-errortype': 'ResourceNotFoundException' }).end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const resolver = await startFakeResolver({ a: ['127.0.0.1'] });
    const own = dns.getServers();
    dns.setServers([resolver.address]);
    onTestFinished(() => dns.setServers(own));
    const { port } = server.address() as AddressInfo;
    // It connects to no host by name.
    const proxy = await startConnectProxy({ kind: 'tunnel', port });
    onTestFinished(() => proxy.close());
    const lookup = vi.spyOn(dns, 'lookup');
    onTestFinished(() => lookup.mockRestore());
    return { hosts, lookup, proxy, urlOf: (host: string) => `http://${host}:${port}` };
  }
  const records = [{ partitionKey: 'k', data: Buffer.from('x') }];

  it.each(Object.entries({ fast: fastTransport, sdk: sdkTransport }))(
    'take no thread where the %s transport looks them up, with a proxy and without',
    async (name, create) => {
      const { hosts, lookup, proxy, urlOf } = await start();
      const url = urlOf(`kinesis.${name}.test`);
      for (const through of ['none', proxy.url.replace('127.0.0.1', `proxy.${name}.test`)]) {
        const transport = create({ credentials: identity, endpoint: () => url, proxy: through }, limits);
        const sent = transport.send({ region: 'us-east-1', stream: 'orders', records });
        await expect(sent).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
        transport.close();
      }
      expect(hosts).toEqual([`kinesis.${name}.test`, `kinesis.${name}.test`]);
      expect(proxy.asked).toHaveLength(1);
      expect(lookup).not.toHaveBeenCalled();
    },
  );

  it.each(Object.entries({ fast: fastTransport, sdk: sdkTransport }))(
    'are looked up by the application’s own means in the %s transport, if it gives any',
    async (_name, create) => {
      const { hosts, urlOf } = await start();
      const asked: string[] = [];
      const lookup: LookupFunction = (host, { all }, callback) => {
        asked.push(host);
        if (all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
        else callback(null, '127.0.0.1', 4);
      };
      const url = urlOf('only.the.system.knows');
      const transport = create({ credentials: identity, endpoint: () => url, lookup }, limits);
      const sent = transport.send({ region: 'us-east-1', stream: 'orders', records });
      await expect(sent).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
      transport.close();
      expect(hosts).toEqual(['only.the.system.knows']);
      expect(asked).toEqual(['only.the.system.knows']);
    },
  );

  it('take no thread where beacons are written and credentials are asked for', async () => {
    const { hosts, lookup, urlOf } = await start();
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/nonexistent');
    vi.stubEnv('AWS_ACCESS_KEY_ID', '');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::111122223333:role/producer');
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', import.meta.filename);
    vi.stubEnv('AWS_REGION', 'us-west-2');
    vi.stubEnv('AWS_ENDPOINT_URL_STS', urlOf('sts.test'));
    onTestFinished(() => void vi.unstubAllEnvs());
    const options = { table: 'shop-beacons', region: 'us-west-2', endpoint: urlOf('dynamodb.test') };
    for (const credentials of [identity, undefined]) {
      const calls = beaconCalls({ ...options, credentials });
      await expect(calls.fleetIntervalMs()).rejects.toThrow();
      calls.close();
    }
    const [first, ...others] = hosts;
    expect(first).toBe('dynamodb.test');
    expect(new Set(others)).toEqual(new Set(['sts.test']));
    expect(lookup).not.toHaveBeenCalled();
  });
});

/** A process of its own sees another file in the place of /etc/resolv.conf. Needs root on Linux. */
const WITH_FILE = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
const mayMount = spawnSync('unshare', ['-m', 'sh', '-c', WITH_FILE, '/dev/null', 'true']).status === 0;

describe.runIf(mayMount)('a DNS server that never answers', () => {
  it('does not hold up receipts from the disk', { timeout: 60_000 }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'spillway-lookups-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const silent = createSocket('udp4');
    const byte = () => 1 + Math.floor(Math.random() * 250);
    // getaddrinfo asks port 53 alone.
    const address = `127.${byte()}.${byte()}.${byte()}`;
    silent.bind(53, address);
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    let asked = 0;
    silent.on('message', () => asked++);
    const file = join(directory, 'resolv.conf');
    await writeFile(file, `nameserver ${address}\noptions timeout:30 attempts:5\n`);

    const run = async (name: string, options: Partial<ProducerOptions>, env: NodeJS.ProcessEnv = {}) => {
      const given = {
        signal: { name: 'signal.orders.example.com' },
        regions: ['us-east-1', 'us-west-2'],
        streamName: 'orders',
        spool: { directory: join(directory, name) },
        ...options,
      };
      const node = [process.execPath, fixture, JSON.stringify(given)];
      const { stdout } = await promisify(execFile)('unshare', ['-m', 'sh', '-c', WITH_FILE, file, ...node], {
        // With a disk that waits for a thread, it could not even end.
        timeout: 20_000,
        killSignal: 'SIGKILL',
        env: {
          PATH: process.env.PATH,
          SPILLWAY_REGION: 'us-east-1',
          AWS_EC2_METADATA_DISABLED: 'true',
          ...env,
        },
      });
      return { name, ...JSON.parse(stdout) };
    };
    const beacons = { table: 'shop-beacons', region: 'us-west-2' };
    const webIdentity = {
      AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/producer',
      AWS_WEB_IDENTITY_TOKEN_FILE: fixture,
      AWS_REGION: 'us-east-1',
    };
    const runs = await Promise.all([
      run('fast', { credentials: identity, beacons }),
      run('sdk', { credentials: identity, transport: 'sdk' }),
      run('web identity', { beacons }, webIdentity),
    ]);
    for (const ran of runs) {
      expect(ran, JSON.stringify(ran)).toMatchObject({ pending: 0 });
      expect(ran.worstMs, ran.name).toBeLessThan(2_000);
      expect(ran.puts, ran.name).toBeGreaterThan(20);
    }
    expect(asked).toBeGreaterThan(0);
  });
});
