import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  type PutCommand,
  QueryCommand,
  type QueryCommandInput,
  type UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { readPages } from '../aws/pages.ts';
import { StateUnavailableError } from './errors.ts';

export interface StateTableOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** Longest wait for one call. Default 3,000. */
  readonly timeoutMs?: number;
}

export type Item = Record<string, unknown>;

const DEFAULT_TIMEOUT_MS = 3_000;
/** A page is 1 MB: thousands of switches. The journal, which grows for ever, is read with a limit. */
const MAX_PAGES = 100;

export interface PartitionQuery {
  readonly newestFirst?: boolean;
  readonly limit?: number;
  readonly between?: { readonly from: string; readonly to: string };
  /** The attributes to read. Default: whole items. */
  readonly attributes?: readonly string[];
  /** Signal that ends the query early. */
  readonly signal?: AbortSignal;
}

/** The calls of the state table: bounded, consistent reads, with only two kinds of failure. */
export class StateCalls {
  readonly table: string;
  readonly #options: StateTableOptions;

  constructor(options: StateTableOptions) {
    this.#options = options;
    this.table = options.table;
  }

  /** @throws StateUnavailableError */
  async get(key: Item): Promise<Item | undefined> {
    const command = new GetCommand({ TableName: this.table, Key: key, ConsistentRead: true });
    return (await this.#send((signal) => this.#options.client.send(command, signal))).Item;
  }

  /**
   * Reads one partition, by sort key, at most `limit` items when a limit is given. `signal` bounds all pages
   * together.
   *
   * @throws StateUnavailableError, also when the partition is larger than it can be
   */
  async query(partition: string, options: PartitionQuery = {}): Promise<readonly Item[]> {
    const { limit, signal } = options;
    const input = this.#queryInput(partition, options);
    const { items, complete } = await readPages<Item, Item>({
      maxPages: MAX_PAGES,
      maxItems: limit,
      ask: async (from) => {
        const command = new QueryCommand(from === undefined ? input : { ...input, ExclusiveStartKey: from });
        const answer = await this.#send((bound) => this.#options.client.send(command, bound), signal);
        return { items: answer.Items ?? [], next: answer.LastEvaluatedKey };
      },
    });
    if (complete) return items;
    throw new StateUnavailableError(
      `The state table ${this.table} holds more than ${MAX_PAGES} MB under ${partition}: nothing of Spillway's writes that much.`,
    );
  }

  #queryInput(partition: string, options: PartitionQuery): QueryCommandInput {
    const { newestFirst = false, limit, between, attributes } = options;
    const names = (attributes ?? []).map((name) => [`#${name}`, name] as const);
    return {
      TableName: this.table,
      KeyConditionExpression: between === undefined ? '#pk = :pk' : '#pk = :pk AND #sk BETWEEN :from AND :to',
      ...(attributes === undefined ? {} : { ProjectionExpression: names.map(([name]) => name).join(', ') }),
      ExpressionAttributeNames: {
        '#pk': 'pk',
        ...(between === undefined ? {} : { '#sk': 'sk' }),
        ...Object.fromEntries(names),
      },
      ExpressionAttributeValues: {
        ':pk': partition,
        ...(between === undefined ? {} : { ':from': between.from, ':to': between.to }),
      },
      ScanIndexForward: !newestFirst,
      ConsistentRead: true,
      ...(limit === undefined ? {} : { Limit: limit }),
    };
  }

  /** Whether the condition held. @throws StateUnavailableError */
  async write(command: PutCommand | UpdateCommand | DeleteCommand): Promise<boolean> {
    try {
      // `send` has no overload for a union of commands.
      await this.#send((signal) => this.#options.client.send(command as PutCommand, signal));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async #send<T>(
    call: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const bound = AbortSignal.timeout(this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    try {
      return await call({ abortSignal: signal === undefined ? bound : AbortSignal.any([bound, signal]) });
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw error;
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new StateUnavailableError(`The state table ${this.table} does not answer (${reason}).`, {
        cause: error,
      });
    }
  }
}
