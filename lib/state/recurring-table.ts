import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import {
  type Recurring,
  type RecurringWork,
  recurringKey,
  recurringSchema,
} from '../../lambda/core/recurring.ts';
import { StateCalls, type StateTableOptions } from './calls.ts';

/**
 * Reads and writes what is known of recurring work, in the state table. Every call may throw
 * StateUnavailableError.
 */
export class RecurringTable {
  readonly #calls: StateCalls;

  constructor(options: StateTableOptions) {
    this.#calls = new StateCalls(options);
  }

  /**
   * Reads the record of some work. Empty when nothing is known, or when the record cannot be understood: then
   * the record starts afresh.
   */
  async read(work: RecurringWork): Promise<Recurring> {
    const parsed = recurringSchema.safeParse((await this.#calls.get(recurringKey(work))) ?? {});
    return parsed.success ? parsed.data : {};
  }

  /** Stores since when the work is asked for; null: no longer. The time of the last success stays. */
  async expect(work: RecurringWork, sinceMs: number | null): Promise<void> {
    await this.#calls.write(
      new UpdateCommand({
        TableName: this.#calls.table,
        Key: recurringKey(work),
        UpdateExpression: sinceMs === null ? 'REMOVE #since' : 'SET #since = :since',
        ExpressionAttributeNames: { '#since': 'expectedSinceMs' },
        ...(sinceMs === null ? {} : { ExpressionAttributeValues: { ':since': sinceMs } }),
      }),
    );
  }

  /** Stores that the work was done at this time, unless a later time is stored already. */
  async done(work: RecurringWork, atMs: number): Promise<void> {
    await this.#calls.write(
      new UpdateCommand({
        TableName: this.#calls.table,
        Key: recurringKey(work),
        UpdateExpression: 'SET #done = :at',
        ConditionExpression: 'attribute_not_exists(#done) OR #done < :at',
        ExpressionAttributeNames: { '#done': 'doneAtMs' },
        ExpressionAttributeValues: { ':at': atMs },
      }),
    );
  }
}
