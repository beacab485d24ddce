import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { endpointProblem } from '../../../lib/producer/endpoint-problem.ts';
import { FailoverProducer, followSignal } from '../../../lib/producer/index.ts';
import { sdkTransport } from '../../../lib/producer/sdk-transport.ts';
import type { Transport } from '../../../lib/producer/transport.ts';
import { kinesisEndpoint, siblingEndpoint } from '../../../lib/producer/wire/endpoint.ts';
import { fastTransport } from '../../../lib/producer/wire/fast-transport.ts';

const identity = { accessKeyId: 'AKIDONE', secretAccessKey: 'secret' };
const limits = { maxInFlight: 2, requestTimeoutMs: 5_000 };
const transports = { fast: fastTransport, sdk: sdkTransport } as const;

let server: Server;
let url: string;
let directory: string;
let files = 0;
/** `Host` and path of each request. */
const asked: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-endpoint-'));
  server = createServer((request, response) => {
    request.resume();
    asked.push(`${request.headers.host}${request.url}`);
    response.writeHead(400, { 'x-amzn-errortype': 'ResourceNotFoundException' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});
beforeEach(() => {
  // Not this machine's own.
  for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/nonexistent');
});
afterEach(() => {
  vi.unstubAllEnvs();
  asked.splice(0);
});

/** Settings as the environment and a shared config file of its own have them; `$URL` is the server's. */
async function stub({ env = {}, file }: Settings): Promise<void> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value.replace('$URL', url));
  if (file === undefined) return;
  const path = join(directory, `config-${files++}`);
  await writeFile(path, file.replaceAll('$URL', url));
  vi.stubEnv('AWS_CONFIG_FILE', path);
}

interface Settings {
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: string;
}

const send = (transport: Transport): Promise<unknown> =>
  transport.send({
    region: 'us-west-2',
    stream: 'orders',
    records: [{ partitionKey: 'k', data: Buffer.from('x') }],
  });

describe.each(Object.entries(transports))('the %s transport', (_, create) => {
  it.each<[string, Settings, string]>([
    ['AWS_ENDPOINT_URL_KINESIS', { env: { AWS_ENDPOINT_URL_KINESIS: '$URL' } }, '/'],
    ['AWS_ENDPOINT_URL', { env: { AWS_ENDPOINT_URL: '$URL/all' } }, '/all/'],
    [
      'the more special of two variables',
      { env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_ENDPOINT_URL_KINESIS: '$URL/own' } },
      '/own/',
    ],
    ['the shared config file', { file: '[default]\nendpoint_url = $URL/file\n' }, '/file/'],
    [
      'a section of services',
      { file: '[default]\nservices = mine\n\n[services mine]\nkinesis =\n  endpoint_url = $URL/section\n' },
      '/section/',
    ],
    [
      'another profile',
      { file: '[profile other]\nendpoint_url = $URL/other\n', env: { AWS_PROFILE: 'other' } },
      '/other/',
    ],
  ])('asks the URL of %s', async (_, settings, path) => {
    await stub(settings);
    const transport = create({ credentials: identity }, limits);
    await expect(send(transport)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    transport.close();
    expect(asked).toEqual([`${new URL(url).host}${path}`]);
  });

  it('asks the URL that the application gives rather than a configured one', async () => {
    await stub({ env: { AWS_ENDPOINT_URL_KINESIS: 'http://127.0.0.1:9' } });
    const transport = create({ credentials: identity, endpoint: () => url }, limits);
    await expect(send(transport)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    transport.close();
    expect(asked).toHaveLength(1);
  });

  it('sends nothing where FIPS is asked for and a URL is given', async () => {
    await stub({ env: { AWS_ENDPOINT_URL_KINESIS: '$URL', AWS_USE_FIPS_ENDPOINT: 'true' } });
    const transport = create({ credentials: identity }, limits);
    await expect(send(transport)).rejects.toMatchObject({
      name: 'EndpointError',
      message: expect.stringContaining('FIPS and custom endpoint are not supported'),
    });
    transport.close();
    expect(asked).toEqual([]);
  });
});

it('takes up settings that are corrected', async () => {
  await stub({ env: { AWS_ENDPOINT_URL_KINESIS: '$URL', AWS_USE_FIPS_ENDPOINT: 'true' } });
  const transport = fastTransport({ credentials: identity }, limits);
  await expect(send(transport)).rejects.toMatchObject({ name: 'EndpointError' });
  vi.stubEnv('AWS_USE_FIPS_ENDPOINT', undefined);
  await expect(send(transport)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  transport.close();
});

describe('the hosts of AWS', () => {
  const accountId = '111122223333';
  const streamArn = 'arn:aws:kinesis:us-west-2:444455556666:stream/orders';

  it.each<[Settings['env'], { accountId?: string; streamArn?: string }, string]>([
    [{}, {}, 'kinesis.us-west-2.amazonaws.com'],
    [{ AWS_USE_FIPS_ENDPOINT: 'true' }, {}, 'kinesis-fips.us-west-2.amazonaws.com'],
    [{ AWS_USE_DUALSTACK_ENDPOINT: 'true' }, {}, 'kinesis.us-west-2.api.aws'],
    [
      { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' },
      {},
      'kinesis-fips.us-west-2.api.aws',
    ],
    [{}, { accountId }, '111122223333.data-kinesis.us-west-2.amazonaws.com'],
    [{ AWS_ACCOUNT_ID_ENDPOINT_MODE: 'disabled' }, { accountId }, 'kinesis.us-west-2.amazonaws.com'],
    [{}, { streamArn }, '444455556666.data-kinesis.us-west-2.amazonaws.com'],
    [
      { AWS_USE_FIPS_ENDPOINT: 'true' },
      { accountId, streamArn },
      '444455556666.data-kinesis-fips.us-west-2.amazonaws.com',
    ],
  ])('with %j for %j: %s', async (env, { accountId: account, streamArn: arn }, host) => {
    await stub({ env: env ?? {} });
    const question = { region: 'us-west-2', streamArn: arn, identity: { ...identity, accountId: account } };
    const { href } = await kinesisEndpoint(question as Parameters<typeof kinesisEndpoint>[0]);
    expect(href).toBe(`https://${host}/`);
  });

  it.each<[Settings['env'], 'dynamodb' | 'sts', string]>([
    [{ AWS_USE_FIPS_ENDPOINT: 'true' }, 'dynamodb', 'https://dynamodb-fips.us-west-2.amazonaws.com/'],
    [{ AWS_USE_FIPS_ENDPOINT: 'true' }, 'sts', 'https://sts-fips.us-west-2.amazonaws.com/'],
    [{ AWS_USE_DUALSTACK_ENDPOINT: 'true' }, 'dynamodb', 'https://dynamodb.us-west-2.api.aws/'],
    [{ AWS_ENDPOINT_URL_KINESIS: 'http://other' }, 'sts', 'https://sts.us-west-2.amazonaws.com/'],
    [{ AWS_ENDPOINT_URL_DYNAMODB: 'http://kinesis.local:8000' }, 'dynamodb', 'http://kinesis.local:8000/'],
    [{ AWS_ENDPOINT_URL: 'http://local:4566' }, 'sts', 'http://local:4566/'],
    [
      { AWS_ENDPOINT_URL: 'http://local:4566', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
      'sts',
      'https://sts.us-west-2.amazonaws.com/',
    ],
  ])('with %j, beacons find %s at %s', async (env, service, wanted) => {
    await stub({ env: env ?? {} });
    expect((await siblingEndpoint('us-west-2', service)).href).toBe(wanted);
  });
});

describe('endpoints that an evacuation cannot leave', () => {
  const regions = ['us-east-1', 'us-west-2'];

  it('are told: one URL is configured for every region', async () => {
    await stub({ env: { AWS_ENDPOINT_URL_KINESIS: 'https://vpce-1.kinesis.us-east-1.vpce.amazonaws.com' } });
    expect(await endpointProblem({ regions })).toContain(
      'us-east-1 and for us-west-2 both go to https://vpce-1.kinesis.us-east-1.vpce.amazonaws.com/',
    );
  });

  it('are told by the producer, and by a client that follows the signal', async () => {
    await stub({ env: { AWS_ENDPOINT_URL: '$URL', SPILLWAY_REGION: 'us-east-1' } });
    const options = { signal: { name: 'signal.orders.example.com' }, regions, streamName: 'orders' };
    const producer = new FailoverProducer({ ...options, credentials: identity });
    const [told] = await once(producer, 'endpointProblem');
    await producer.close();
    expect(told).toContain(url);

    const client = new KinesisClient({ region: 'us-east-1', credentials: identity });
    const heard = Promise.withResolvers<string>();
    const followed = followSignal(client, { ...options, onProblem: heard.resolve });
    expect(await heard.promise).toBe(told);
    followed.close();
    client.destroy();
  });

  it('are told: the settings contradict each other', async () => {
    await stub({ env: { AWS_ENDPOINT_URL_KINESIS: '$URL', AWS_USE_FIPS_ENDPOINT: 'true' } });
    expect(await endpointProblem({ regions })).toContain('No endpoint for us-east-1');
  });

  it('are not: each region has its own, or the application says so', async () => {
    expect(await endpointProblem({ regions })).toBeUndefined();
    await stub({ env: { AWS_ENDPOINT_URL_KINESIS: '$URL' } });
    expect(await endpointProblem({ regions, endpoint: () => 'http://127.0.0.1:4566' })).toBeUndefined();
    expect(await endpointProblem({ regions: ['us-east-1'] })).toBeUndefined();
  });
});
