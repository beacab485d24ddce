import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { failureClassOf } from '../../../lib/producer/beacons/failure-class.ts';
import { endpointProblem } from '../../../lib/producer/endpoint-problem.ts';
import { sdkTransport } from '../../../lib/producer/sdk-transport.ts';
import type { Transport } from '../../../lib/producer/transport.ts';
import { fastTransport } from '../../../lib/producer/wire/fast-transport.ts';
import { type ConnectProxy, startConnectProxy } from '../connect-proxy.ts';
import { loopbackCertificate } from '../sink/certificate.ts';

const identity = { accessKeyId: 'AKIDONE', secretAccessKey: 'secret' };
const limits = { maxInFlight: 2, requestTimeoutMs: 1_000 };
const transports = { fast: fastTransport, sdk: sdkTransport } as const;
const accountId = '111122223333';

/** Hosts that the SDK's rules choose, by settings; with and without an account in the credentials. */
const matrix: readonly { env: Readonly<Record<string, string>>; account?: string; host: string }[] = [
  { env: {}, host: 'kinesis.us-west-2.amazonaws.com' },
  { env: { AWS_USE_FIPS_ENDPOINT: 'true' }, host: 'kinesis-fips.us-west-2.amazonaws.com' },
  { env: { AWS_USE_DUALSTACK_ENDPOINT: 'true' }, host: 'kinesis.us-west-2.api.aws' },
  {
    env: { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' },
    host: 'kinesis-fips.us-west-2.api.aws',
  },
  { env: {}, account: accountId, host: `${accountId}.data-kinesis.us-west-2.amazonaws.com` },
  {
    env: { AWS_ACCOUNT_ID_ENDPOINT_MODE: 'disabled' },
    account: accountId,
    host: 'kinesis.us-west-2.amazonaws.com',
  },
  {
    env: { AWS_USE_FIPS_ENDPOINT: 'true' },
    account: accountId,
    host: `${accountId}.data-kinesis-fips.us-west-2.amazonaws.com`,
  },
  {
    env: { AWS_ENDPOINT_URL_KINESIS: 'https://vpce-1.kinesis.us-west-2.vpce.amazonaws.com' },
    account: accountId,
    host: 'vpce-1.kinesis.us-west-2.vpce.amazonaws.com',
  },
];

/** Where the shards of a stream are asked for, with an account in the credentials: never the host for data. */
const listHosts = {
  fast: 'kinesis.us-west-2.amazonaws.com',
  sdk: `${accountId}.control-kinesis.us-west-2.amazonaws.com`,
} as const;

let server: Server;
let proxy: ConnectProxy;
const trusted = tls.getCACertificates('default');
/** Of each request that reached the service: the name in TLS, and `Host`. */
const reached: string[] = [];

beforeAll(async () => {
  const { key, cert } = await loopbackCertificate([
    ...matrix.map(({ host }) => host),
    ...Object.values(listHosts),
  ]);
  tls.setDefaultCACertificates([...trusted, cert]);
  server = createServer({ key, cert }, (request, response) => {
    request.resume();
    reached.push(`${(request.socket as TLSSocket).servername} ${request.headers.host}`);
    response.writeHead(400, { 'x-amzn-errortype': 'ResourceNotFoundException' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  tls.setDefaultCACertificates(trusted);
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/nonexistent');
  proxy = await startConnectProxy({ kind: 'tunnel', port: (server.address() as AddressInfo).port });
});
afterEach(() => {
  vi.unstubAllEnvs();
  proxy.close();
  reached.splice(0);
});

const send = (transport: Transport): Promise<unknown> =>
  transport.send({
    region: 'us-west-2',
    stream: 'orders',
    records: [{ partitionKey: 'k', data: Buffer.from('x') }],
  });

describe.each(Object.entries(transports))('the %s transport', (name, create) => {
  const connect = (options: Parameters<typeof fastTransport>[0] = {}): Transport =>
    create({ credentials: identity, proxy: proxy.url, ...options }, limits);
  const failure = async (transport: Transport): Promise<Error> =>
    send(transport).then(
      () => Promise.reject(new Error('it did not fail')),
      (error: Error) => error,
    );

  it.each(matrix)('asks $host with $env', async ({ env, account, host }) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const transport = connect({ credentials: { ...identity, ...(account && { accountId: account }) } });
    await expect(send(transport)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    transport.close();
    expect(proxy.asked).toEqual([`${host}:443`]);
    expect(reached).toEqual([`${host} ${host}`]);
  });

  it('asks another host for shards than for puts, and keeps both connections', async () => {
    const transport = connect({ credentials: { ...identity, accountId } });
    const list = () => transport.listShards?.({ region: 'us-west-2', stream: 'orders' });
    for (let n = 0; n < 2; n++) {
      await failure(transport);
      await expect(list()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    }
    transport.close();
    const [data, control] = [
      `${accountId}.data-kinesis.us-west-2.amazonaws.com`,
      listHosts[name as keyof typeof listHosts],
    ];
    expect(proxy.asked).toEqual([`${data}:443`, `${control}:443`]);
    expect(reached).toEqual([data, control, data, control].map((host) => `${host} ${host}`));
  });

  it('keeps the connections that it has made through a proxy', async () => {
    const transport = connect();
    for (let n = 0; n < 5; n++) await failure(transport);
    transport.close();
    expect(reached).toHaveLength(5);
    expect(proxy.asked.length).toBeLessThanOrEqual(limits.maxInFlight);
  });

  it('logs in to the proxy, and shows its password to nobody', async () => {
    proxy.behaviour = { kind: 'answer', status: 407 };
    const transport = connect({ proxy: proxy.url.replace('//', '//user:p%40ss@') });
    const error = await failure(transport);
    transport.close();
    expect(proxy.authorizations[0]).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`);
    expect(error).toMatchObject({
      name: 'ConnectionError',
      message: expect.stringContaining('answered 407'),
    });
    expect(failureClassOf(error)).toBe('access');
    expect(JSON.stringify([error.message, (error.cause as Error)?.message])).not.toMatch(/p@ss|p%40ss/);
  });

  it('goes on when a proxy that hung takes connections again', async () => {
    const { behaviour } = proxy;
    proxy.behaviour = { kind: 'hang' };
    const transport = connect();
    // More than the connections that it may have.
    const errors = await Promise.all([1, 2, 3, 4].map(() => failure(transport)));
    for (const error of errors) {
      expect(['TimeoutError', 'ConnectionError']).toContain(error.name);
      expect(['timeout', 'reset']).toContain(failureClassOf(error));
    }
    proxy.behaviour = behaviour;
    await vi.waitFor(
      async () => expect(await failure(transport)).toMatchObject({ name: 'ResourceNotFoundException' }),
      { timeout: 10_000 },
    );
    transport.close();
  });

  it('asks the proxy of the environment only if it is told to', async () => {
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    vi.stubEnv('NO_PROXY', '.api.aws');
    const told = connect({ proxy: 'environment' });
    await failure(told);
    told.close();
    expect(proxy.asked).toEqual(['kinesis.us-west-2.amazonaws.com:443']);
    vi.stubEnv('AWS_ENDPOINT_URL_KINESIS', `https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const direct = connect({ proxy: 'none' });
    await failure(direct);
    direct.close();
    expect(proxy.asked).toHaveLength(1);
    expect(reached).toHaveLength(2);
  });

  it('asks STS for credentials through the proxy as well', async () => {
    proxy.behaviour = { kind: 'answer', status: 502 };
    vi.stubEnv('AWS_ACCESS_KEY_ID', '');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_REGION', 'us-west-2');
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::111122223333:role/producer');
    // Any file does for a token that is not looked at.
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', import.meta.filename);
    const transport = create({ proxy: proxy.url }, limits);
    await failure(transport);
    transport.close();
    expect(proxy.asked[0]).toBe('sts.us-west-2.amazonaws.com:443');
  });
});

describe('a proxy that only the environment names', () => {
  const regions = ['us-east-1', 'us-west-2'];
  beforeEach(() => vi.stubEnv('HTTPS_PROXY', 'http://user:secret@proxy.example.com:3128'));

  it('is told, without its password', async () => {
    const problem = await endpointProblem({ regions });
    expect(problem).toContain(
      'proxy http://proxy.example.com:3128 for https://kinesis.us-east-1.amazonaws.com',
    );
    expect(problem).not.toContain('secret');
  });

  it('is not told where an answer is given, or the hosts need none', async () => {
    expect(await endpointProblem({ regions, proxy: 'environment' })).toBeUndefined();
    expect(await endpointProblem({ regions, proxy: 'none' })).toBeUndefined();
    vi.stubEnv('NO_PROXY', '.amazonaws.com');
    expect(await endpointProblem({ regions })).toBeUndefined();
  });
});
