import { setTimeout as pause } from 'node:timers/promises';
import { ClaimedElsewhereError, ConsumerConfigError } from './errors.ts';
import { type Claim, MemorySeenStore, type SeenStore } from './seen-store.ts';

export type Delivery<Value> =
  | { readonly duplicate: true }
  | { readonly duplicate: false; readonly value: Value };

export interface DeduplicatorOptions {
  /** Where handled ids are kept. Default: a MemorySeenStore of 1,000,000 ids and an hour. */
  readonly store?: SeenStore;
  /**
   * How long to wait for another consumer that has claimed the id, in milliseconds; for stores with claims. A consumer that died
   * leaves its claim until the claim's time is over: wait longer than that. Default 15,000.
   */
  readonly maxWaitMs?: number;
}

interface Work<Value> {
  readonly handle: () => Promise<Value> | Value;
  readonly maxWaitMs: number;
}

const DEFAULT_MAX_WAIT_MS = 15_000;
/** Between two looks at a claim of another consumer. */
const FIRST_PAUSE_MS = 25;
const MAX_PAUSE_MS = 1_000;

/**
 * Calls the handler once per record id.
 *
 * Promised: while an id is in the store's window, its record is not handled again, even when copies arrive at
 * the same time; a record whose handler failed does not count as handled, so nothing is dropped.
 *
 * Not promised: exactly once. A process that dies between the handler's end and `remember` handles the record
 * again. So do two consumers that do not share a store with claims, or a copy that is older than the window (a drain may
 * copy records hours after they were first written: keep the window longer than the outage, or the handler
 * idempotent). Only a handler that writes its result and the id in one transaction gets exactly once.
 *
 * Takes ids alone. A marked record of an observer (`probe` of unwrap's result) has none, and nothing to handle: skip it
 * before, because a call with an absent id would let the first of them through to the handler.
 */
export class Deduplicator {
  readonly #store: SeenStore;
  readonly #maxWaitMs: number;
  /**
   * Ids that are being handled now; at most one per call of `once` in progress. The promise is true when the
   * handler succeeded.
   */
  readonly #running = new Map<string, Promise<boolean>>();

  /** @throws ConsumerConfigError */
  constructor({ store = new MemorySeenStore(), maxWaitMs = DEFAULT_MAX_WAIT_MS }: DeduplicatorOptions = {}) {
    if (!(maxWaitMs >= 0))
      throw new ConsumerConfigError(`\`maxWaitMs\` is ${maxWaitMs}; write milliseconds from 0.`);
    this.#store = store;
    this.#maxWaitMs = maxWaitMs;
  }

  /**
   * Runs `handle` unless the id was handled before. A copy that arrives while the first one is being handled
   * waits for it, and is handled if the first one fails. Rejects with what `handle` or the store rejected
   * with; the record then counts as not handled, and may be given again. `maxWaitMs`: for this call alone, if shorter.
   *
   * @throws ClaimedElsewhereError when another consumer holds the id for longer than `maxWaitMs`
   */
  async once<Value>(
    recordId: string,
    handle: () => Promise<Value> | Value,
    { maxWaitMs = this.#maxWaitMs }: Pick<DeduplicatorOptions, 'maxWaitMs'> = {},
  ): Promise<Delivery<Value>> {
    for (let other = this.#running.get(recordId); other !== undefined; other = this.#running.get(recordId)) {
      if (await other) return { duplicate: true };
    }
    const running = Promise.withResolvers<boolean>();
    this.#running.set(recordId, running.promise);
    let handled = false;
    try {
      const delivery = await this.#deliver(recordId, {
        handle,
        maxWaitMs: Math.min(maxWaitMs, this.#maxWaitMs),
      });
      handled = true;
      return delivery;
    } finally {
      this.#running.delete(recordId);
      running.resolve(handled);
    }
  }

  async #deliver<Value>(recordId: string, work: Work<Value>): Promise<Delivery<Value>> {
    if (this.#store.claim !== undefined) return this.#deliverClaimed(recordId, work);
    if (await this.#store.seen(recordId)) return { duplicate: true };
    const value = await work.handle();
    await this.#store.remember(recordId);
    return { duplicate: false, value };
  }

  async #deliverClaimed<Value>(
    recordId: string,
    { handle, maxWaitMs }: Work<Value>,
  ): Promise<Delivery<Value>> {
    const claim = await this.#claim(recordId, maxWaitMs);
    if (claim === undefined) return { duplicate: true };
    let value: Value;
    try {
      value = await handle();
    } catch (error) {
      // The handler's failure is what the caller has to know; a claim that cannot be released ends by itself.
      await claim.release().catch(() => {});
      throw error;
    }
    await claim.finish();
    return { duplicate: false, value };
  }

  /** Undefined for an id that was handled. */
  async #claim(recordId: string, maxWaitMs: number): Promise<Claim | undefined> {
    let waitedMs = 0;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      const result = await this.#store.claim?.(recordId);
      if (result === undefined || result.kind === 'handled') return undefined;
      if (result.kind === 'claimed') return result.claim;
      if (waitedMs >= maxWaitMs) throw new ClaimedElsewhereError(recordId, result.leftMs);
      // A whole one at least, as clocks differ.
      const nextMs = Math.max(1, Math.min(pauseMs, Math.ceil(result.leftMs) + 1, maxWaitMs - waitedMs));
      await pause(nextMs);
      waitedMs += nextMs;
    }
  }
}
