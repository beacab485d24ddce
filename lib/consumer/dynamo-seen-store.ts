import { randomUUID } from 'node:crypto';
import { DynamoCaller, isConditionFailed } from './dynamo-caller.ts';
import type { DynamoClient } from './dynamo-client.ts';
import { dynamoCommands } from './dynamo-commands.ts';
import { ConsumerConfigError } from './errors.ts';
import type { Claim, ClaimResult, SeenStore } from './seen-store.ts';

export interface DynamoSeenStoreOptions {
  /** Of the region of the table. Its package, `@aws-sdk/client-dynamodb`, is the application's own. */
  readonly client: DynamoClient;
  /** Name or ARN. Its key is one text, without a sort key. */
  readonly table: string;
  /** Name of the key. Default `id`. */
  readonly keyAttribute?: string;
  /** Attribute by which DynamoDB deletes old ids (TTL), in seconds since 1970. Default `expiresAt`. */
  readonly expiryAttribute?: string;
  /** Before each id, so that consumers that all handle a record may share a table: `billing/`. Default none. */
  readonly prefix?: string;
  /**
   * How long an id is kept, in milliseconds: longer than the retention of the streams and an outage together, where a drain may copy
   * records later. Default 604,800,000 (7 days).
   */
  readonly windowMs?: number;
  /**
   * How long a claim holds, in milliseconds: longer than the handler takes for one record, else another consumer handles it at
   * the same time; short, as a consumer that dies leaves its record for so long, and shorter than the function's time-out times the
   * attempts of its mapping, or Lambda gives the record up before. Default 10,000.
   */
  readonly leaseMs?: number;
  /**
   * False: an id is read before its record is handled and written after, at half the cost, and two consumers that have copies at
   * the same time both handle them. Default true.
   */
  readonly claims?: boolean;
  /** Of one attempt, in milliseconds. Default 2,000. */
  readonly requestTimeoutMs?: number;
  /** Of one call, the first included; beside those of the SDK within each. Default 4. */
  readonly attempts?: number;
  /** Milliseconds since 1970. The clocks of consumers that share a table may differ by less than `leaseMs`. Default Date.now. */
  readonly now?: () => number;
  /** Uniform in [0, 1). Default Math.random. */
  readonly random?: () => number;
}

const defaults = {
  keyAttribute: 'id',
  expiryAttribute: 'expiresAt',
  prefix: '',
  windowMs: 604_800_000,
  leaseMs: 10_000,
  claims: true,
  requestTimeoutMs: 2_000,
  attempts: 4,
  now: () => Date.now(),
  random: Math.random,
};

type Settings = Required<DynamoSeenStoreOptions>;
type Item = Readonly<Record<string, { readonly S?: string; readonly N?: string }>>;

const MAX_ATTEMPTS = 20;
/** Longer ones are no ids, and the key of DynamoDB takes 2,048 bytes. */
const MAX_KEY_BYTES = 2_048;

/** Each clause of the condition under which an id may be claimed. */
const isNew = 'attribute_not_exists(#key)';
/** DynamoDB deletes expired items hours later. */
const isExpired = '#expiry < :nowS';
const isLeft = '(#state = :claimed AND #leaseUntil < :nowMs)';
/** By an attempt whose answer was lost. */
const isMine = '(#state = :claimed AND #holder = :holder)';

/**
 * Handled ids in a table of DynamoDB, which outlive the process and are shared between consumers. Does nothing between calls: no polling, no
 * timers. An item has an id and four small attributes.
 *
 * Promised, with claims: of consumers that share the table, one at a time handles an id, unless its handler takes longer than `leaseMs`.
 *
 * Not promised: the same over a global table. By default its replicas follow each other within about a second, and a condition sees the replica
 * that is asked: copies that two regions read at about the same time are both handled, and while the regions do not reach
 * each other, all are.
 */
export class DynamoSeenStore implements SeenStore {
  readonly #settings: Settings;
  readonly #caller: DynamoCaller;
  readonly claim?: (id: string) => Promise<ClaimResult>;

  /** @throws ConsumerConfigError */
  constructor(options: DynamoSeenStoreOptions) {
    this.#settings = checkedSettings(options);
    this.#caller = new DynamoCaller(this.#settings);
    if (this.#settings.claims) this.claim = (id) => this.#claim(id);
  }

  /** @throws SeenStoreError, ConsumerConfigError */
  async seen(id: string): Promise<boolean> {
    return this.#isHandled(await this.#read(id));
  }

  /** @throws SeenStoreError, ConsumerConfigError */
  async remember(id: string): Promise<void> {
    const { table } = this.#settings;
    const { PutItemCommand } = await dynamoCommands();
    const Item = { ...this.#key(id), state: { S: 'handled' }, ...this.#expiry() };
    await this.#caller.send(new PutItemCommand({ TableName: table, Item }));
  }

  async #claim(id: string): Promise<ClaimResult> {
    const { table, leaseMs, keyAttribute, expiryAttribute, now } = this.#settings;
    const { PutItemCommand } = await dynamoCommands();
    const holder = randomUUID();
    const nowMs = now();
    const command = new PutItemCommand({
      TableName: table,
      Item: {
        ...this.#key(id),
        ...this.#expiry(),
        state: { S: 'claimed' },
        holder: { S: holder },
        leaseUntil: { N: `${nowMs + leaseMs}` },
      },
      ConditionExpression: [isNew, isExpired, isLeft, isMine].join(' OR '),
      ExpressionAttributeNames: {
        '#key': keyAttribute,
        '#expiry': expiryAttribute,
        '#state': 'state',
        '#holder': 'holder',
        '#leaseUntil': 'leaseUntil',
      },
      ExpressionAttributeValues: {
        ':nowS': { N: `${Math.floor(nowMs / 1_000)}` },
        ':nowMs': { N: `${nowMs}` },
        ':claimed': { S: 'claimed' },
        ':holder': { S: holder },
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      await this.#caller.send(command);
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      // Servers that imitate DynamoDB do not return the item.
      return this.#heldBy((error.Item as Item | undefined) ?? (await this.#read(id)));
    }
    return { kind: 'claimed', claim: this.#claimOf(id, holder) };
  }

  #heldBy(item: Item | undefined): ClaimResult {
    if (this.#isHandled(item)) return { kind: 'handled' };
    const untilMs = Number(item?.leaseUntil?.N ?? 0);
    return { kind: 'claimedElsewhere', leftMs: Math.max(0, untilMs - this.#settings.now()) };
  }

  #claimOf(id: string, holder: string): Claim {
    return { finish: () => this.remember(id), release: () => this.#release(id, holder) };
  }

  /** Only its own: another consumer may have claimed it since. */
  async #release(id: string, holder: string): Promise<void> {
    const { DeleteItemCommand } = await dynamoCommands();
    const command = new DeleteItemCommand({
      TableName: this.#settings.table,
      Key: this.#key(id),
      ConditionExpression: '#holder = :holder',
      ExpressionAttributeNames: { '#holder': 'holder' },
      ExpressionAttributeValues: { ':holder': { S: holder } },
    });
    await this.#caller.send(command).catch((error: unknown) => {
      if (!isConditionFailed(error)) throw error;
    });
  }

  async #read(id: string): Promise<Item | undefined> {
    const { GetItemCommand } = await dynamoCommands();
    const command = new GetItemCommand({
      TableName: this.#settings.table,
      Key: this.#key(id),
      ConsistentRead: true,
    });
    const { Item } = await this.#caller.send<{ readonly Item?: Item }>(command);
    return Item;
  }

  #isHandled(item: Item | undefined): boolean {
    const { expiryAttribute, now } = this.#settings;
    const isCurrent = Number(item?.[expiryAttribute]?.N ?? 0) >= Math.floor(now() / 1_000);
    return item?.state?.S === 'handled' && isCurrent;
  }

  #key(id: string): Record<string, { S: string }> {
    const { keyAttribute, prefix } = this.#settings;
    const key = `${prefix}${id}`;
    if (typeof id !== 'string' || id === '' || Buffer.byteLength(key) > MAX_KEY_BYTES)
      throw new ConsumerConfigError(
        `An id is a text that is not empty, of ${MAX_KEY_BYTES} bytes at most with the prefix; pass \`recordId\`.`,
      );
    return { [keyAttribute]: { S: key } };
  }

  #expiry(): Record<string, { N: string }> {
    const { expiryAttribute, windowMs, now } = this.#settings;
    return { [expiryAttribute]: { N: `${Math.ceil((now() + windowMs) / 1_000)}` } };
  }
}

const ownAttributes = ['state', 'holder', 'leaseUntil'];

function checkedSettings(options: DynamoSeenStoreOptions): Settings {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings: Settings = {
    ...defaults,
    ...(Object.fromEntries(given) as unknown as DynamoSeenStoreOptions),
  };
  const { client, table, keyAttribute, expiryAttribute, windowMs, leaseMs, requestTimeoutMs, attempts } =
    settings;
  if (typeof client?.send !== 'function')
    throw new ConsumerConfigError(
      '`client` has no `send`; pass a DynamoDBClient of @aws-sdk/client-dynamodb.',
    );
  if (typeof table !== 'string' || table === '')
    throw new ConsumerConfigError('`table` is no name; pass the name or the ARN of the table.');
  if (new Set([keyAttribute, expiryAttribute, ...ownAttributes]).size < ownAttributes.length + 2)
    throw new ConsumerConfigError(
      `\`keyAttribute\` and \`expiryAttribute\` differ from each other and from ${ownAttributes.join(', ')}.`,
    );
  for (const [name, value] of Object.entries({ windowMs, leaseMs, requestTimeoutMs }))
    if (!(Number.isFinite(value) && value > 0))
      throw new ConsumerConfigError(`\`${name}\` is ${value}; write milliseconds above 0.`);
  if (windowMs < leaseMs)
    throw new ConsumerConfigError(
      '`windowMs` is shorter than `leaseMs`: a claim would be forgotten while it holds.',
    );
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > MAX_ATTEMPTS)
    throw new ConsumerConfigError(
      `\`attempts\` is ${attempts}; write a whole number from 1 to ${MAX_ATTEMPTS}.`,
    );
  return settings;
}
