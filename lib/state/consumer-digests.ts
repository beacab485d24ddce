import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import {
  CONSUMERS_PARTITION,
  type ConsumerDigest,
  consumerDigestKey,
  consumerDigestSchema,
} from '../../lambda/core/consumer-digest.ts';
import { StateCalls, type StateTableOptions } from './calls.ts';

/**
 * Reads and writes who would read the cells' streams in the standby, in the state table. Every call may throw
 * StateUnavailableError.
 */
export class ConsumerDigests {
  readonly #calls: StateCalls;

  constructor(options: StateTableOptions) {
    this.#calls = new StateCalls(options);
  }

  /** Items that cannot be read are left out. */
  async read(): Promise<readonly ConsumerDigest[]> {
    const items = await this.#calls.query(CONSUMERS_PARTITION);
    return items.flatMap((item) => {
      const parsed = consumerDigestSchema.safeParse(item);
      return parsed.success ? [parsed.data] : [];
    });
  }

  /** Replaces what is known of one cell, unless a later look has done so. */
  async write(digest: ConsumerDigest): Promise<void> {
    await this.#calls.write(
      new PutCommand({
        TableName: this.#calls.table,
        Item: { ...consumerDigestKey(digest.cell), ...digest },
        ConditionExpression: 'attribute_not_exists(#at) OR #at <= :at',
        ExpressionAttributeNames: { '#at': 'lookedAtMs' },
        ExpressionAttributeValues: { ':at': digest.lookedAtMs },
      }),
    );
  }

  /** Deletes what is known of a removed cell. */
  async forget(cell: string): Promise<void> {
    await this.#calls.write(
      new DeleteCommand({ TableName: this.#calls.table, Key: consumerDigestKey(cell) }),
    );
  }
}
