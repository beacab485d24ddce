import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { STSClient } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type BeaconItem, FLEET_KEY } from '../../../lambda/core/beacon-item.ts';
import type { ProducerOptions } from '../options.ts';
import type { BeaconOptions } from './beacon-options.ts';

/** Longest wait for one call. */
export const BEACON_TIMEOUT_MS = 3_000;
const MOST_SOCKETS = 8;

/** The three calls of a writer of beacons. Each is tried once, for at most `BEACON_TIMEOUT_MS`. */
export interface BeaconCalls {
  /** The `aws:userid` of these credentials, under which alone they may write. */
  source(): Promise<string>;
  put(item: BeaconItem): Promise<void>;
  /** How long to wait between two beacons in health, as an observer has written; undefined when none has. */
  fleetIntervalMs(): Promise<number | undefined>;
  close(): void;
}

export interface BeaconCallsOptions extends Omit<BeaconOptions, 'domain'> {
  readonly credentials: ProducerOptions['credentials'];
}

interface Clients {
  readonly sdk: typeof import('@aws-sdk/client-dynamodb') & typeof import('@aws-sdk/client-sts');
  readonly dynamo: DynamoDBClient;
  readonly sts: STSClient;
}

/** Loads the SDK's clients when the first call is made: producers without beacons do without them. */
export function beaconCalls(options: BeaconCallsOptions): BeaconCalls {
  const { table } = options;
  const ended = new AbortController();
  let loading: Promise<Clients> | undefined;
  const clients = (): Promise<Clients> => {
    loading ??= load(options).catch((error) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const bounded = () => ({
    abortSignal: AbortSignal.any([ended.signal, AbortSignal.timeout(BEACON_TIMEOUT_MS)]),
  });
  return {
    source: async () => {
      const { sdk, sts } = await clients();
      const { UserId } = await sts.send(new sdk.GetCallerIdentityCommand({}), bounded());
      if (UserId === undefined || UserId === '') throw new Error('STS names no user for these credentials.');
      return UserId;
    },
    put: async (item) => {
      const { sdk, dynamo } = await clients();
      const command = new sdk.PutItemCommand({ TableName: table, Item: attributesOf(item) });
      await dynamo.send(command, bounded());
    },
    fleetIntervalMs: async () => {
      const { sdk, dynamo } = await clients();
      const command = new sdk.GetItemCommand({ TableName: table, Key: attributesOf(FLEET_KEY) });
      const { Item } = await dynamo.send(command, bounded());
      const everyMs = Number(Item?.every?.N);
      return Number.isFinite(everyMs) ? everyMs : undefined;
    },
    close: () => {
      ended.abort();
      loading?.then(
        ({ dynamo, sts }) => {
          dynamo.destroy();
          sts.destroy();
        },
        () => {},
      );
    },
  };
}

async function load({ region, endpoint, credentials }: BeaconCallsOptions): Promise<Clients> {
  const [dynamo, sts] = await Promise.all([
    import('@aws-sdk/client-dynamodb'),
    import('@aws-sdk/client-sts'),
  ]);
  const agent = { keepAlive: true, maxSockets: MOST_SOCKETS };
  const settings = {
    region,
    maxAttempts: 1,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    requestHandler: new NodeHttpHandler({
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
      connectionTimeout: BEACON_TIMEOUT_MS,
      requestTimeout: BEACON_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    }),
  };
  return {
    sdk: { ...sts, ...dynamo },
    dynamo: new dynamo.DynamoDBClient(settings),
    sts: new sts.STSClient(settings),
  };
}

/** A flat object of texts and numbers, and of lists and objects of them, in DynamoDB's own form. */
export function attributesOf(item: object): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attributeOf(value)]));
}

function attributeOf(value: unknown): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (Array.isArray(value)) return { L: value.map(attributeOf) };
  return { M: attributesOf(value as object) };
}
