import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { type Control, type ControlReading, controlKey, parseControl } from '../core/control.ts';
import { JOURNAL_PARTITION, type JournalEntry, journalKey, journalSchema } from '../core/journal.ts';
import { type Lease, leaseKey, leaseSchema } from '../core/lease.ts';
import { SWITCH_PARTITION, switchKey, switchPosition } from '../core/switch.ts';
import { FencedError, StateConflictError, StateUnavailableError } from './errors.ts';

export interface StateTableOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** Longest wait for one call. Default 3,000. */
  readonly timeoutMs?: number;
}

/** One switch as it is stored. */
export interface StoredSwitch {
  readonly group: string;
  readonly position: 'PRIMARY' | 'STANDBY';
  /** Of the act that set it; 0 when it was never set. */
  readonly epoch: number;
  readonly owner?: string;
  readonly reason?: string;
  readonly atMs?: number;
}

export interface SwitchChange {
  readonly group: string;
  readonly position: 'PRIMARY' | 'STANDBY';
  readonly epoch: number;
  readonly owner: string;
  readonly reason: string;
  readonly atMs: number;
}

const DEFAULT_TIMEOUT_MS = 3_000;
const MAX_HISTORY = 1_000;
const switchIsNotNewer = 'attribute_not_exists(#epoch) OR #epoch <= :epoch';
const leaseIsFreeOrMine =
  'attribute_not_exists(#holder) OR #holder = :holder OR (#until < :now AND #epoch <= :epoch)';
const leaseEpochIsNotNewer = '(attribute_not_exists(#epoch) OR #epoch <= :epoch)';

/** Everything durable, in one table of the standby: control, switches, lease and journal. Every write is conditional. */
export class StateTable {
  readonly #options: StateTableOptions;

  constructor(options: StateTableOptions) {
    this.#options = options;
  }

  /** @throws StateUnavailableError */
  async readControl(): Promise<ControlReading> {
    const { Item } = await this.#send(
      new GetCommand({ TableName: this.#options.table, Key: controlKey, ConsistentRead: true }),
    );
    return parseControl(Item);
  }

  /**
   * Replaces the control item, if it still is what was read (`revision` of the reading, undefined = there was none).
   *
   * @throws StateConflictError, StateUnavailableError
   */
  async writeControl(control: Control, expectedRevision: number | undefined): Promise<void> {
    await this.#conditionally(
      new PutCommand({
        TableName: this.#options.table,
        Item: { ...controlKey, ...control, revision: (expectedRevision ?? 0) + 1 },
        ConditionExpression:
          expectedRevision === undefined ? 'attribute_not_exists(#revision)' : '#revision = :revision',
        ExpressionAttributeNames: { '#revision': 'revision' },
        ...(expectedRevision === undefined
          ? {}
          : { ExpressionAttributeValues: { ':revision': expectedRevision } }),
      }),
      () => new StateConflictError('The control item has changed since it was read: look again, and repeat.'),
    );
  }

  /** Revision of the control item, for `writeControl`; undefined when there is none, or it was written by hand. */
  async controlRevision(): Promise<number | undefined> {
    const { Item } = await this.#send(
      new GetCommand({ TableName: this.#options.table, Key: controlKey, ConsistentRead: true }),
    );
    return typeof Item?.revision === 'number' ? Item.revision : undefined;
  }

  /** Switches that were ever set. @throws StateUnavailableError */
  async readSwitches(): Promise<readonly StoredSwitch[]> {
    const items: Record<string, unknown>[] = [];
    let start: Record<string, unknown> | undefined;
    // A page holds 1 MB, thousands of switches.
    for (let page = 0; page < 100; page++) {
      const answer = await this.#send(
        new QueryCommand({
          TableName: this.#options.table,
          KeyConditionExpression: '#pk = :switches',
          ExpressionAttributeNames: { '#pk': 'pk' },
          ExpressionAttributeValues: { ':switches': SWITCH_PARTITION },
          ConsistentRead: true,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      items.push(...(answer.Items ?? []));
      start = answer.LastEvaluatedKey;
      if (start === undefined) break;
    }
    return items.map(storedSwitch);
  }

  /**
   * Sets one switch, unless an act of a newer epoch has set it. Setting it to what it is already is no error.
   *
   * @throws FencedError, StateUnavailableError
   */
  async setSwitch(change: SwitchChange): Promise<void> {
    const { group, ...values } = change;
    await this.#conditionally(
      new PutCommand({
        TableName: this.#options.table,
        Item: { ...switchKey(group), ...values },
        ConditionExpression: switchIsNotNewer,
        ExpressionAttributeNames: { '#epoch': 'epoch' },
        ExpressionAttributeValues: { ':epoch': change.epoch },
      }),
      () => new FencedError(`The switch of ${group} was set by a newer epoch than ${change.epoch}.`),
    );
  }

  /** The lease, or undefined when nobody ever held it. @throws StateUnavailableError */
  async readLease(): Promise<Lease | undefined> {
    const { Item } = await this.#send(
      new GetCommand({ TableName: this.#options.table, Key: leaseKey, ConsistentRead: true }),
    );
    const parsed = leaseSchema.safeParse(Item);
    return parsed.success ? parsed.data : undefined;
  }

  /**
   * Takes or renews the lease. A newer epoch takes it over only when it has run out; an older epoch never gets it.
   *
   * @throws FencedError, StateUnavailableError
   */
  async takeLease(lease: Lease, nowMs: number): Promise<void> {
    await this.#conditionally(
      new UpdateCommand({
        TableName: this.#options.table,
        Key: leaseKey,
        UpdateExpression: 'SET #holder = :holder, #epoch = :epoch, #until = :until',
        ConditionExpression: `(${leaseIsFreeOrMine}) AND ${leaseEpochIsNotNewer}`,
        ExpressionAttributeNames: { '#holder': 'holder', '#epoch': 'epoch', '#until': 'untilMs' },
        ExpressionAttributeValues: {
          ':holder': lease.holder,
          ':epoch': lease.epoch,
          ':until': lease.untilMs,
          ':now': nowMs,
        },
      }),
      () =>
        new FencedError(`Another conductor holds the lease, or a newer epoch than ${lease.epoch} has begun.`),
    );
  }

  /** Gives the lease back before it runs out. The epoch stays: it is the fence. Somebody else's lease is left alone. */
  async releaseLease(holder: string): Promise<void> {
    try {
      await this.#send(
        new UpdateCommand({
          TableName: this.#options.table,
          Key: leaseKey,
          UpdateExpression: 'SET #until = :zero',
          ConditionExpression: '#holder = :holder',
          ExpressionAttributeNames: { '#holder': 'holder', '#until': 'untilMs' },
          ExpressionAttributeValues: { ':holder': holder, ':zero': 0 },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  /** Appends to the journal. The same `id` at the same time is one entry, however often it is written. */
  async journal(entry: JournalEntry, id: string): Promise<void> {
    await this.#send(
      new PutCommand({ TableName: this.#options.table, Item: { ...journalKey(entry.atMs, id), ...entry } }),
    );
  }

  /** Newest first; entries that cannot be read are left out. At most 1,000. */
  async history(limit = 50): Promise<readonly JournalEntry[]> {
    const { Items = [] } = await this.#send(
      new QueryCommand({
        TableName: this.#options.table,
        KeyConditionExpression: '#pk = :journal',
        ExpressionAttributeNames: { '#pk': 'pk' },
        ExpressionAttributeValues: { ':journal': JOURNAL_PARTITION },
        ScanIndexForward: false,
        Limit: Math.min(limit, MAX_HISTORY),
        ConsistentRead: true,
      }),
    );
    return Items.flatMap((item) => {
      const parsed = journalSchema.safeParse(item);
      return parsed.success ? [parsed.data] : [];
    });
  }

  async #conditionally(command: PutCommand | UpdateCommand, conflict: () => Error): Promise<void> {
    try {
      await this.#send(command);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw Object.assign(conflict(), { cause: error });
      throw error;
    }
  }

  async #send(command: GetCommand): Promise<{ Item?: Record<string, unknown> }>;
  async #send(
    command: QueryCommand,
  ): Promise<{ Items?: Record<string, unknown>[]; LastEvaluatedKey?: Record<string, unknown> }>;
  async #send(command: PutCommand | UpdateCommand): Promise<unknown>;
  async #send(command: GetCommand | QueryCommand | PutCommand | UpdateCommand): Promise<unknown> {
    const { client, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    try {
      // The union of commands has no single overload of `send`.
      return await client.send(command as GetCommand, { abortSignal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw error;
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new StateUnavailableError(`The state table ${this.#options.table} does not answer (${reason}).`, {
        cause: error,
      });
    }
  }
}

function storedSwitch(item: Record<string, unknown>): StoredSwitch {
  return {
    group: String(item.sk),
    position: switchPosition(item),
    epoch: typeof item.epoch === 'number' ? item.epoch : 0,
    ...(typeof item.owner === 'string' ? { owner: item.owner } : {}),
    ...(typeof item.reason === 'string' ? { reason: item.reason } : {}),
    ...(typeof item.atMs === 'number' ? { atMs: item.atMs } : {}),
  };
}
