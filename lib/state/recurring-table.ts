import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import {
  type Recurring,
  type RecurringWork,
  recurringKey,
  recurringSchema,
} from '../../lambda/core/recurring.ts';
import { StateCalls, type StateTableOptions } from './calls.ts';

/** What is known of recurring work, in the state table. Every call may throw StateUnavailableError. */
export class RecurringTable {
  readonly #calls: StateCalls;

  constructor(options: StateTableOptions) {
    this.#calls = new StateCalls(options);
  }

  /** Empty when nothing is known, or when it cannot be understood: then it begins anew. */
  async read(work: RecurringWork): Promise<Recurring> {
    const parsed = recurringSchema.safeParse((await this.#calls.get(recurringKey(work))) ?? {});
    return parsed.success ? parsed.data : {};
  }

  /** From then on it is asked for; null: no more. What was done stays on record. */
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

  /** It was done then; a later time that is on record already stays. */
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
