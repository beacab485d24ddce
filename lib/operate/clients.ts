import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { Route53Client } from '@aws-sdk/client-route-53';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { STSClient } from '@aws-sdk/client-sts';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Instrumentable, logCalls } from '../aws/call-log.ts';
import { clientSettings } from '../aws/clients.ts';
import { type Identity, regionCredentials } from '../credentials/provider.ts';
import { type Divert, divert, overhear, type PlannedCall } from './calls.ts';

export interface AwsClientsOptions {
  /** Name of the caller in the audit: `cli failover`. */
  readonly who: string;
  /** Longest wait for one call. */
  readonly timeoutMs: number;
  /** Absent: the SDK's own, which honours AWS_ENDPOINT_URL. */
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** If given, no call is sent, and this is called with each call that would have been. */
  readonly divertTo?: Divert;
  /** Told of every call that is sent. */
  readonly onCall?: (call: PlannedCall) => void;
  readonly callLog?: string;
  /** Called once when the credentials take long, so that the wait is not blamed on a region. */
  readonly say?: ((text: string) => void) | undefined;
}

interface Destroyable extends Instrumentable {
  destroy(): void;
}

/** What every client of the command line is made with. */
type ClientSettings = ReturnType<typeof clientSettings> & {
  readonly endpoint?: string;
  readonly credentials: NonNullable<AwsClientsOptions['credentials']> | (() => Promise<Identity>);
};

/** An operator looks at many cells of one table; more connections would only wait for each other. */
const MAX_SOCKETS = 16;
const SLOW_MS = 2_000;

/** The CLI's clients, one per service and region, each bounded, and every call of them seen. */
export class AwsClients {
  readonly #options: AwsClientsOptions;
  readonly #made: Destroyable[] = [];
  readonly #providers = new Map<string, () => Promise<Identity>>();

  constructor(options: AwsClientsOptions) {
    this.#options = options;
  }

  documents(region: string): DynamoDBDocumentClient {
    return DynamoDBDocumentClient.from(this.#prepared(new DynamoDBClient(this.#settings(region)), region), {
      marshallOptions: { removeUndefinedValues: true },
    });
  }

  stepFunctions(region: string): SFNClient {
    return this.#prepared(new SFNClient(this.#settings(region)), region);
  }

  /** Always a regional endpoint: the global one is in us-east-1. */
  identity(region: string): STSClient {
    return this.#prepared(new STSClient(this.#settings(region)), region);
  }

  logs(region: string): CloudWatchLogsClient {
    return this.#prepared(new CloudWatchLogsClient(this.#settings(region)), region);
  }

  cloudWatch(region: string): CloudWatchClient {
    return this.#prepared(new CloudWatchClient(this.#settings(region)), region);
  }

  notifications(region: string): SNSClient {
    return this.#prepared(new SNSClient(this.#settings(region)), region);
  }

  kinesis(region: string): KinesisClient {
    return this.#prepared(new KinesisClient(this.#settings(region)), region);
  }

  events(region: string): EventBridgeClient {
    return this.#prepared(new EventBridgeClient(this.#settings(region)), region);
  }

  lambda(region: string): LambdaClient {
    return this.#prepared(new LambdaClient(this.#settings(region)), region);
  }

  /** A control plane in us-east-1: for `doctor` in quiet times, never for anything that is needed in an outage. */
  route53(): Route53Client {
    return this.#prepared(new Route53Client(this.#settings('us-east-1')), 'us-east-1');
  }

  /** A client that few commands need, made by whoever has loaded its package. */
  other<Made extends Destroyable>(Client: new (settings: ClientSettings) => Made, region: string): Made {
    return this.#prepared(new Client(this.#settings(region)), region);
  }

  /**
   * Gets the credentials for these regions beforehand, so that fetching them does not use up the regions' own
   * time-outs. Never throws: a later call meets the same failure.
   */
  async prepare(regions: readonly string[]): Promise<void> {
    const { divertTo, credentials, say } = this.#options;
    if (divertTo !== undefined || credentials !== undefined) return;
    const timer = setTimeout(() => say?.('waiting for the source of the credentials'), SLOW_MS);
    await Promise.allSettled(regions.map((region) => this.#provider(region)()));
    clearTimeout(timer);
  }

  /** Closes idle connections, or the process would outlive its answer. */
  destroy(): void {
    for (const client of this.#made.splice(0)) client.destroy();
  }

  #prepared<Made extends Destroyable>(client: Made, region: string): Made {
    const { divertTo, onCall, callLog, who } = this.#options;
    if (onCall !== undefined) overhear(client, region, onCall);
    if (divertTo !== undefined) divert(client, region, divertTo);
    else logCalls(client, { file: callLog ?? '', region, who });
    this.#made.push(client);
    return client;
  }

  #settings(region: string): ClientSettings {
    const { timeoutMs, endpoint, credentials } = this.#options;
    return {
      ...clientSettings(region, { timeoutMs, maxSockets: MAX_SOCKETS }),
      ...(endpoint === undefined ? {} : { endpoint }),
      credentials: credentials ?? this.#provider(region),
    };
  }

  #provider(region: string): () => Promise<Identity> {
    const known = this.#providers.get(region);
    if (known !== undefined) return known;
    const made = regionCredentials({ region, profile: process.env.AWS_PROFILE || undefined });
    this.#providers.set(region, made);
    return made;
  }
}
