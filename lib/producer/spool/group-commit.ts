import { MAX_GROUP_BYTES } from './limits.ts';
import { encodeRecord, type SpoolEntry } from './record-format.ts';

/** Encoded records that share one write and one sync. */
export interface Group {
  readonly buffer: Buffer;
  readonly used: number;
  readonly records: number;
}

/** Where a group begins in the log. */
export interface GroupPlace {
  readonly segment: number;
  readonly offset: number;
}

/** Called with the place where an append begins in the log, once the append is durable. */
export interface Placement {
  segment: number;
  offset: number;
}

interface CollectingGroup {
  buffer: Buffer;
  used: number;
  records: number;
  /** The placements, and where in the group each of their appends begins. */
  placements: { readonly placement: Placement; readonly at: number }[];
  readonly done: PromiseWithResolvers<void>;
}

interface Waiting {
  readonly encoded: Buffer;
  readonly records: number;
  readonly placement: Placement | undefined;
  readonly done: PromiseWithResolvers<void>;
}

const FIRST_BUFFER_BYTES = 64 * 1024;

/**
 * Collects appends while a write runs, and writes the collected appends as one group. All appends of a group
 * get the same promise: at hundreds of thousands a second, one for each would cost more than the rest.
 */
export class GroupCommit {
  readonly #write: (group: Group) => Promise<GroupPlace>;
  #collecting = newGroup(Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES));
  #spare: Buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES);
  /** Appends, in order, that did not fit into the collecting group. */
  #queue: Waiting[] = [];
  #scheduled = false;
  #writing = false;
  #waitingBytes = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  /** `write` resolves when the group is durable. When it rejects, everything that waits is rejected with its error. */
  constructor(write: (group: Group) => Promise<GroupPlace>) {
    this.#write = write;
  }

  /** Encoded bytes that are not durable yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Adds entries; `bytes` is the sum of the checked entries' `recordBytes`. Entries are read before it
   * returns, whether or not there is room: an entry that cannot be encoded throws here, and fails only its
   * own append.
   */
  add(entries: readonly SpoolEntry[], bytes: number, placement?: Placement): Promise<void> {
    if (this.#queue.length === 0 && this.#fits(bytes)) {
      const group = this.#collecting;
      this.#reserve(bytes);
      const end = encodeAll(entries, group.buffer, group.used);
      this.#taken({ bytes: end - group.used, records: entries.length, placement });
      this.#waitingBytes += bytes;
      if (!this.#scheduled && !this.#writing) this.#schedule();
      return group.done.promise;
    }
    const encoded = Buffer.allocUnsafeSlow(bytes);
    encodeAll(entries, encoded, 0);
    const done = Promise.withResolvers<void>();
    // The caller may handle only the last of several promises.
    done.promise.catch(() => {});
    this.#queue.push({ encoded, records: entries.length, placement, done });
    this.#waitingBytes += bytes;
    return done.promise;
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    if (this.#waitingBytes === 0 && !this.#writing) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  #fits(bytes: number): boolean {
    return this.#collecting.used === 0 || this.#collecting.used + bytes <= MAX_GROUP_BYTES;
  }

  #reserve(bytes: number): void {
    const group = this.#collecting;
    if (group.used + bytes <= group.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(group.buffer.length * 2, group.used + bytes));
    group.buffer.copy(larger, 0, 0, group.used);
    group.buffer = larger;
  }

  #taken({
    bytes,
    records,
    placement,
  }: {
    readonly bytes: number;
    readonly records: number;
    readonly placement: Placement | undefined;
  }): void {
    const group = this.#collecting;
    if (placement !== undefined) group.placements.push({ placement, at: group.used });
    group.used += bytes;
    group.records += records;
  }

  /**
   * Runs after the microtasks of this turn, so that every caller that waited for the last group gets into the
   * next one.
   */
  #schedule(): void {
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#collecting.used > 0) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const group = this.#collecting;
    this.#collecting = newGroup(this.#spare);
    this.#writing = true;
    try {
      const place = await this.#write(group);
      this.#waitingBytes -= group.used;
      for (const { placement, at } of group.placements) {
        placement.segment = place.segment;
        placement.offset = place.offset + at;
      }
      group.done.resolve();
    } catch (error) {
      group.done.reject(error);
      this.#rejectWaiting(error);
    }
    // Without this limit, the group of one large record would be kept without end.
    this.#spare =
      group.buffer.length <= MAX_GROUP_BYTES ? group.buffer : Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES);
    this.#writing = false;
    this.#admit();
    this.#schedule();
    if (this.#waitingBytes === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }

  #admit(): void {
    let admitted = 0;
    for (const { encoded, records, placement, done } of this.#queue) {
      if (!this.#fits(encoded.length)) break;
      this.#reserve(encoded.length);
      encoded.copy(this.#collecting.buffer, this.#collecting.used);
      this.#taken({ bytes: encoded.length, records, placement });
      this.#collecting.done.promise.then(done.resolve, done.reject);
      admitted++;
    }
    if (admitted > 0) this.#queue = this.#queue.slice(admitted);
  }

  /** Rejects all later appends, because none may become durable without the failed group. */
  #rejectWaiting(error: unknown): void {
    const { buffer, done } = this.#collecting;
    done.reject(error);
    for (const waiting of this.#queue) waiting.done.reject(error);
    this.#queue = [];
    this.#collecting = newGroup(buffer);
    this.#waitingBytes = 0;
  }
}

/** Returns the end. When an entry throws, the bytes written before it are ignored. */
function encodeAll(entries: readonly SpoolEntry[], buffer: Buffer, from: number): number {
  let at = from;
  for (const entry of entries) at = encodeRecord(buffer, at, entry);
  return at;
}

function newGroup(buffer: Buffer): CollectingGroup {
  const done = Promise.withResolvers<void>();
  // Every append of the group has this promise; if none of them is handled, its rejection must not end the
  // process.
  done.promise.catch(() => {});
  return { buffer, used: 0, records: 0, placements: [], done };
}
