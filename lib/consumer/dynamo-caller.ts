import { setTimeout as pause } from 'node:timers/promises';
import type { DynamoClient } from './dynamo-client.ts';
import { SeenStoreError } from './errors.ts';

export interface CallerOptions {
  readonly client: DynamoClient;
  readonly table: string;
  readonly requestTimeoutMs: number;
  readonly attempts: number;
  readonly random: () => number;
}

const BASE_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/** Sends commands with a time-out for each attempt, and repeats what may pass: throttling, faults of the service, lost answers. */
export class DynamoCaller {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /** @throws SeenStoreError, and ConditionalCheckFailedException as it comes */
  async send<Output>(command: object): Promise<Output> {
    const { attempts, random } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#attempt(command)) as Output;
      } catch (error) {
        if (isConditionFailed(error)) throw error;
        if (attempt >= attempts || !mayPass(error)) throw this.#failure(error, attempt);
        await pause(random() * Math.min(MAX_PAUSE_MS, BASE_PAUSE_MS * 2 ** attempt));
      }
    }
  }

  async #attempt(command: object): Promise<unknown> {
    const { client, requestTimeoutMs } = this.#options;
    const abort = new AbortController();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      abort.abort();
      late.reject(new SeenStoreTimeout(`DynamoDB did not answer within ${requestTimeoutMs} ms.`));
    }, requestTimeoutMs);
    try {
      const answer = client.send(command as never, { abortSignal: abort.signal });
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(error: unknown, attempts: number): SeenStoreError {
    const { table } = this.#options;
    const name = nameOf(error);
    const found = advice.find(([names]) => names.includes(name));
    const what = found?.[1] ?? 'see the cause';
    return new SeenStoreError(
      `The table ${table} of handled ids failed ${attempts === 1 ? 'once' : `${attempts} times`}, last with ${name}: ${what}. The record counts as not handled.`,
      { cause: error },
    );
  }
}

class SeenStoreTimeout extends Error {
  override readonly name = 'TimeoutError';
}

export const isConditionFailed = (error: unknown): error is Error & { readonly Item?: unknown } =>
  nameOf(error) === 'ConditionalCheckFailedException';

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

const throttled = [
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'Throttling',
];
/** Of a global table with strong consistency. */
const conflicting = ['ReplicatedWriteConflictException', 'TransactionConflictException'];

const advice: readonly (readonly [names: readonly string[], what: string])[] = [
  [
    ['ResourceNotFoundException'],
    'there is no such table in the region of the client: create it, or name another',
  ],
  [
    ['AccessDeniedException'],
    'the role needs dynamodb:PutItem, DeleteItem and GetItem on the table, and the use of its KMS key',
  ],
  [
    ['ValidationException'],
    'its key is not the one of `keyAttribute`, as a text and without a sort key: see the cause',
  ],
  [throttled, 'it takes no more requests: let it scale on demand, or give it capacity'],
  [
    ['TimeoutError', 'AbortError'],
    'it is slow or unreachable: look at its metrics, or raise `requestTimeoutMs`',
  ],
  [['CredentialsProviderError'], 'there are no credentials: give the client some'],
];

const isClientsFault = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && '$fault' in error && error.$fault === 'client';

function mayPass(error: unknown): boolean {
  const name = nameOf(error);
  if (throttled.includes(name) || conflicting.includes(name)) return true;
  return !isClientsFault(error) && name !== 'CredentialsProviderError' && !(error instanceof TypeError);
}
