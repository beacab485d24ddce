import { Writable } from 'node:stream';
import { isPromise } from 'node:util/types';
import type { Receipt } from './entry.ts';
import { RecordError } from './errors.ts';
import { kindOf } from './kind-of.ts';
import { optional, readOptions, whole } from './option-rules.ts';
import type { ProducerRecord } from './record.ts';

const DEFAULT_WINDOW = 1_000;
const DEFAULT_HIGH_WATER_MARK = 1_000;

type Source = AsyncIterable<ProducerRecord> | Iterable<ProducerRecord>;

/**
 * Yields receipts in the order of the source, each as soon as it and all before it are known, while at most
 * `window` records are outstanding. The first failure ends the iteration, and records already put go on. A
 * failure of the source ends it after the receipts of the records before.
 *
 * @throws ProducerConfigError, RecordError, what `put` rejects with, and what the source throws
 */
export async function* receiptsOf(
  put: (record: ProducerRecord) => Promise<Receipt>,
  source: Source,
  options: { readonly window?: number },
): AsyncGenerator<Receipt, void, undefined> {
  const { window = DEFAULT_WINDOW } = readOptions(options, {
    rules: { window: optional(whole({ least: 1 })) },
    name: 'The options of `receipts`',
  }) as { readonly window?: number };
  assertIterable(source);
  const feed = new Feed(source, put);
  try {
    for (;;) {
      if (feed.outstanding.length < window) feed.ask();
      const next = [feed.outstanding[0], feed.asking].filter((one) => one !== undefined);
      if (next.length === 0) break;
      const receipt = await Promise.race(next);
      if (receipt === undefined) continue;
      feed.outstanding.shift();
      yield receipt;
    }
    feed.throwFailure();
  } finally {
    await feed.close();
  }
}

/** Puts the records of a source, one at a time. */
class Feed {
  readonly #items: AsyncIterator<ProducerRecord> | Iterator<ProducerRecord>;
  readonly #put: (record: ProducerRecord) => Promise<Receipt>;
  readonly outstanding: Promise<Receipt>[] = [];
  /** Resolves when the source has given a record, or has ended. */
  asking: Promise<undefined> | undefined;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: Source, put: (record: ProducerRecord) => Promise<Receipt>) {
    this.#items = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#put = put;
  }

  ask(): void {
    if (this.#isOver || this.asking !== undefined) return;
    // Cleared in a later turn, even if the source answers immediately.
    this.asking = this.#ask().then(() => {
      this.asking = undefined;
      return undefined;
    });
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Closes without waiting for a source that has not answered yet. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    const closed = Promise.resolve(this.#items.return?.());
    if (this.asking === undefined) await closed;
    else closed.catch(() => {});
  }

  async #ask(): Promise<void> {
    try {
      const { done, value } = await this.#items.next();
      if (done === true) this.#isOver = true;
      // Awaits promises alone: a record may be any value, and reading its `then` could run the caller's code.
      else this.#take(isPromise(value) ? ((await value) as ProducerRecord) : value);
    } catch (error) {
      this.#isOver = true;
      this.#failure = { error };
    }
  }

  #take(record: ProducerRecord): void {
    const receipt = this.#put(record);
    // The failure is thrown when its turn comes, and must not end the process before.
    receipt.catch(() => {});
    this.outstanding.push(receipt);
  }
}

/** @throws RecordError */
function assertIterable(source: unknown): void {
  let isIterable = false;
  try {
    const { [Symbol.asyncIterator]: asynchronous, [Symbol.iterator]: synchronous } = Object(source);
    isIterable = typeof (asynchronous ?? synchronous) === 'function';
  } catch (cause) {
    throw new RecordError('The source of records cannot be read; `cause` is what it threw.', { cause });
  }
  if (!isIterable) {
    throw new RecordError(`\`receipts\` takes an iterable of records, not ${kindOf(source)}.`);
  }
}

/**
 * A stream that puts the records written to it. Records written together are put together; the stream takes
 * more when they are acknowledged. As with any stream, a record that fails ends it with that error; records
 * written before it, or together with it, go on.
 *
 * @throws ProducerConfigError
 */
export function writableOf(
  putMany: (records: readonly ProducerRecord[]) => Promise<unknown>,
  options: { readonly highWaterMark?: number },
): Writable {
  const { highWaterMark = DEFAULT_HIGH_WATER_MARK } = readOptions(options, {
    rules: { highWaterMark: optional(whole({ least: 0 })) },
    name: 'The options of `writable`',
  }) as { readonly highWaterMark?: number };
  const put = (records: readonly ProducerRecord[], done: (error?: Error | null) => void): void => {
    putMany(records).then(
      () => done(),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  };
  return new Writable({
    objectMode: true,
    highWaterMark,
    write: (record: ProducerRecord, _encoding, done) => put([record], done),
    writev: (chunks, done) =>
      put(
        chunks.map(({ chunk }) => chunk as ProducerRecord),
        done,
      ),
  });
}
