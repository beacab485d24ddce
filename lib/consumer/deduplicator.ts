import { MemorySeenStore, type SeenStore } from './seen-store.ts';

export type Delivery<Value> =
  | { readonly duplicate: true }
  | { readonly duplicate: false; readonly value: Value };

export interface DeduplicatorOptions {
  /** Where handled ids are kept. Default: a MemorySeenStore of 1,000,000 ids and an hour. */
  readonly store?: SeenStore;
}

/**
 * Calls the handler once per record id.
 *
 * Promised: while an id is in the store's window, its record is not handled again, even when copies arrive at
 * the same time; a record whose handler failed does not count as handled, so nothing is dropped.
 *
 * Not promised: exactly once. A process that dies between the handler's end and `remember` handles the record
 * again. So do two consumers that do not share a store, or a copy that is older than the window (a drain may
 * copy records hours after they were first written: keep the window longer than the outage, or the handler
 * idempotent). Only a handler that writes its result and the id in one transaction gets exactly once.
 *
 * Takes ids alone. A marked record of an observer (`probe` of unwrap's result) has none, and nothing to handle: skip it
 * before, because a call with an absent id would let the first of them through to the handler.
 */
export class Deduplicator {
  readonly #store: SeenStore;
  /**
   * Ids that are being handled now; at most one per call of `once` in progress. The promise is true when the
   * handler succeeded.
   */
  readonly #running = new Map<string, Promise<boolean>>();

  constructor({ store = new MemorySeenStore() }: DeduplicatorOptions = {}) {
    this.#store = store;
  }

  /**
   * Runs `handle` unless the id was handled before. A copy that arrives while the first one is being handled
   * waits for it, and is handled if the first one fails. Rejects with what `handle` or the store rejected
   * with; the record then counts as not handled, and may be given again.
   */
  async once<Value>(recordId: string, handle: () => Promise<Value> | Value): Promise<Delivery<Value>> {
    for (let other = this.#running.get(recordId); other !== undefined; other = this.#running.get(recordId)) {
      if (await other) return { duplicate: true };
    }
    const running = Promise.withResolvers<boolean>();
    this.#running.set(recordId, running.promise);
    let handled = false;
    try {
      if (await this.#store.seen(recordId)) {
        handled = true;
        return { duplicate: true };
      }
      const value = await handle();
      await this.#store.remember(recordId);
      handled = true;
      return { duplicate: false, value };
    } finally {
      this.#running.delete(recordId);
      running.resolve(handled);
    }
  }
}
