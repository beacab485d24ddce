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
import { StateUnavailableError } from './errors.ts';

export interface StateTableOptions {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** Longest wait for one call. Default 3,000. */
  readonly timeoutMs?: number;
}

export type Item = Record<string, unknown>;

const DEFAULT_TIMEOUT_MS = 3_000;
/** A page holds 1 MB, thousands of switches. */
const MAX_PAGES = 100;

/** The calls of the state table: bounded, consistent reads, and two kinds of failure only. */
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

  /** One partition, by sort key, at most `limit` items when that is given. @throws StateUnavailableError */
  async query(
    partition: string,
    options: {
      readonly newestFirst?: boolean;
      readonly limit?: number;
      readonly between?: { readonly from: string; readonly to: string };
    } = {},
  ): Promise<readonly Item[]> {
    const { newestFirst = false, limit, between } = options;
    const input: QueryCommandInput = {
      TableName: this.table,
      KeyConditionExpression: between === undefined ? '#pk = :pk' : '#pk = :pk AND #sk BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#pk': 'pk', ...(between === undefined ? {} : { '#sk': 'sk' }) },
      ExpressionAttributeValues: {
        ':pk': partition,
        ...(between === undefined ? {} : { ':from': between.from, ':to': between.to }),
      },
      ScanIndexForward: !newestFirst,
      ConsistentRead: true,
      ...(limit === undefined ? {} : { Limit: limit }),
    };
    const items: Item[] = [];
    let start: Item | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const command = new QueryCommand({
        ...input,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const answer = await this.#send((signal) => this.#options.client.send(command, signal));
      items.push(...(answer.Items ?? []));
      start = answer.LastEvaluatedKey;
      if (start === undefined || (limit !== undefined && items.length >= limit)) break;
    }
    return items;
  }

  /** Whether the condition held. @throws StateUnavailableError */
  async write(command: PutCommand | UpdateCommand | DeleteCommand): Promise<boolean> {
    try {
      // The union of commands has no single overload of `send`.
      await this.#send((signal) => this.#options.client.send(command as PutCommand, signal));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async #send<T>(call: (options: { readonly abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    try {
      return await call({ abortSignal: AbortSignal.timeout(this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS) });
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw error;
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new StateUnavailableError(`The state table ${this.table} does not answer (${reason}).`, {
        cause: error,
      });
    }
  }
}
