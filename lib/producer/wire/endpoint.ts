import { KinesisClient, type KinesisClientConfig, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { EndpointError } from './errors.ts';
import type { Identity } from './identity.ts';

export interface KinesisEndpointQuestion {
  readonly region: string;
  /** Base URL that the application gives; undefined: what the SDK's rules say. */
  readonly endpoint?: string | undefined;
  /** Of a stream that is named by its ARN. */
  readonly streamArn?: string | undefined;
  /** Its account decides the host where AWS has hosts by account. Default: no account is known. */
  readonly identity?: Identity | undefined;
}

/** The application's services other than Kinesis that a producer calls, and the SDK's name of each. */
const siblings = { dynamodb: 'DynamoDB', sts: 'STS' } as const;

/** Never sent, so it need not be true. */
const NOBODY: Identity = { accessKeyId: 'nobody', secretAccessKey: 'nobody' };
const STREAM = 'any';

/**
 * Where the SDK's own client would send PutRecords. It decides by its rules and by what it reads from the environment and
 * the shared config file: FIPS, dual-stack, configured URLs, and hosts by account (AWS SDKs and Tools Reference Guide,
 * "Settings").
 *
 * @throws EndpointError where the settings contradict each other
 */
export function kinesisEndpoint({
  region,
  endpoint,
  streamArn,
  identity = NOBODY,
}: KinesisEndpointQuestion): Promise<URL> {
  const stream = streamArn === undefined ? { StreamName: STREAM } : { StreamARN: streamArn };
  return asked({ region, credentials: identity, ...(endpoint === undefined ? {} : { endpoint }) }, stream);
}

/**
 * The endpoint of another service in the same region: the URL that the application gives, a configured URL, else its host by
 * the same settings as Kinesis'. In every partition that is the name of Kinesis' host with another beginning ("Service endpoints and quotas", AWS General
 * Reference). The SDK's clients of these services would be two more packages for three small calls.
 *
 * @throws EndpointError where the settings contradict each other
 */
export async function siblingEndpoint(
  region: string,
  service: keyof typeof siblings,
  endpoint?: string,
): Promise<URL> {
  const config: KinesisClientConfig = {
    region,
    credentials: NOBODY,
    // Decides under which name the SDK looks for a configured URL.
    serviceId: siblings[service],
    accountIdEndpointMode: 'disabled',
  };
  if (endpoint !== undefined) return asked({ ...config, endpoint });
  const url = await asked(config);
  const own = await asked({ ...config, ignoreConfiguredEndpointUrls: true } as KinesisClientConfig);
  // A configured URL is used as it is.
  if (url.href === own.href) url.hostname = own.hostname.replace(/^kinesis\b/, service);
  return url;
}

/** What the SDK's rules find wrong with the ARN of a stream in a region, such as its partition. */
export function arnProblem(region: string, streamArn: string): string | undefined {
  const { endpointProvider } = new KinesisClient({ region, credentials: NOBODY }).config;
  try {
    endpointProvider({
      Region: region,
      StreamARN: streamArn,
      OperationType: 'data',
      UseDualStack: false,
      UseFIPS: false,
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Asks a client that never connects: its request is taken away before it is signed. */
async function asked(
  config: KinesisClientConfig,
  stream: { readonly StreamName?: string; readonly StreamARN?: string } = { StreamName: STREAM },
): Promise<URL> {
  let url: URL | undefined;
  const client = new KinesisClient(config);
  client.middlewareStack.add(
    () => async (args) => {
      const { protocol, hostname, port, path } = args.request as RequestLine;
      url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`);
      return { output: { Records: [], $metadata: {} }, response: undefined };
    },
    { step: 'build', priority: 'high', name: 'spillwayReadEndpoint' },
  );
  try {
    await client.send(new PutRecordsCommand({ ...stream, Records: [] }));
  } catch (cause) {
    throw new EndpointError(config.region as string, cause);
  } finally {
    client.destroy();
  }
  if (url === undefined)
    throw new EndpointError(config.region as string, new Error('the SDK made no request'));
  return url;
}

interface RequestLine {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
}
