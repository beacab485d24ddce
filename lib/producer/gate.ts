import type { CheckedRecord } from './checked-record.ts';
import type { Entry } from './entry.ts';
import type { Route } from './route.ts';
import type { Newcomer, Sender } from './sender.ts';
import type { Spooling } from './spooling.ts';

/** Decides where each record goes, and takes it there. */
export class Gate {
  readonly #sender: Sender;
  readonly #spooling: Spooling | undefined;

  constructor({ sender, spooling }: { readonly sender: Sender; readonly spooling: Spooling | undefined }) {
    this.#sender = sender;
    this.#spooling = spooling;
  }

  /** No record may come in now, whatever its key. */
  get isShut(): boolean {
    return this.#spooling === undefined ? this.#sender.isFull : this.#spooling.isShut;
  }

  /** The gate decides by key and shard; otherwise all records go into memory unless it is shut. */
  get isSelective(): boolean {
    return this.#sender.isCongested || this.#spooling?.isSelective === true;
  }

  newcomerOf({ partitionKey, explicitHashKey, data }: CheckedRecord): Newcomer {
    const lane = this.#sender.laneOf(partitionKey);
    const shard = this.#sender.hotShardOf(partitionKey, explicitHashKey);
    return { partitionKey, lane, shard, bytes: partitionKey.length + data.length };
  }

  routeOf(newcomer: Newcomer): Route {
    if (this.#spooling !== undefined) return this.#spooling.routeOf(newcomer);
    if (this.#sender.isFull) return 'stop';
    return this.#sender.hasShareFor(newcomer) ? 'memory' : 'later';
  }

  take(entry: Entry, route: 'memory' | 'disk'): void {
    if (route === 'disk') this.#spooling?.take(entry);
    else this.#sender.add(entry);
  }
}
