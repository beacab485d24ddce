import { type BeaconItem, FLEET_KEY } from '../../../lambda/core/beacon-item.ts';
import type { ProducerOptions } from '../options.ts';
import type { Network } from '../wire/network.ts';
import type { BeaconOptions } from './beacon-options.ts';
import { SmallCalls } from './small-calls.ts';

/** The three calls of a writer of beacons. Each is tried once. */
export interface BeaconCalls {
  /** The `aws:userid` of these credentials, under which alone they may write. */
  source(): Promise<string>;
  put(item: BeaconItem): Promise<void>;
  /** How long to wait between two beacons in health, as an observer has written; undefined when none has. */
  fleetIntervalMs(): Promise<number | undefined>;
  close(): void;
}

export interface BeaconCallsOptions extends Omit<BeaconOptions, 'domain'>, Network {
  readonly credentials: ProducerOptions['credentials'];
}

const JSON_TYPE = 'application/x-amz-json-1.0';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const WHO_AM_I = 'Action=GetCallerIdentity&Version=2011-06-15';

/**
 * Calls DynamoDB and STS by the producer's own means: two small JSON documents and a form are no reason for an application
 * to install the clients of two more services.
 */
export function beaconCalls({ table, ...options }: BeaconCallsOptions): BeaconCalls {
  const calls = new SmallCalls(options);
  const dynamo = async (operation: 'PutItem' | 'GetItem', input: object): Promise<unknown> => {
    const body = await calls.send({
      service: 'dynamodb',
      target: `DynamoDB_20120810.${operation}`,
      contentType: JSON_TYPE,
      body: JSON.stringify({ TableName: table, ...input }),
    });
    return JSON.parse(body);
  };
  return {
    source: async () => {
      const answer = await calls.send({ service: 'sts', contentType: FORM_TYPE, body: WHO_AM_I });
      // The names of principals have none of the characters that XML escapes.
      const [, userId] = /<UserId>([^<&]+)<\/UserId>/.exec(answer) ?? [];
      if (userId === undefined) throw new Error('STS names no user for these credentials.');
      return userId;
    },
    put: async (item) => {
      await dynamo('PutItem', { Item: attributesOf(item) });
    },
    fleetIntervalMs: async () => {
      const { Item } = (await dynamo('GetItem', { Key: attributesOf(FLEET_KEY) })) as {
        readonly Item?: Readonly<Record<string, Attribute | undefined>>;
      };
      const everyMs = Number(Item?.every?.N);
      return Number.isFinite(everyMs) ? everyMs : undefined;
    },
    close: () => calls.close(),
  };
}

/** A value in DynamoDB's own form, as far as beacons need it. */
export type Attribute =
  | { readonly S: string; readonly N?: undefined }
  | { readonly N: string }
  | { readonly L: readonly Attribute[]; readonly N?: undefined }
  | { readonly M: Readonly<Record<string, Attribute>>; readonly N?: undefined };

/** A flat object of texts and numbers, and of lists and objects of them, in DynamoDB's own form. */
export function attributesOf(item: object): Readonly<Record<string, Attribute>> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attributeOf(value)]));
}

function attributeOf(value: unknown): Attribute {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (Array.isArray(value)) return { L: value.map(attributeOf) };
  return { M: attributesOf(value as object) };
}
