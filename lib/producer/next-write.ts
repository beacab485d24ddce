import { Companions, type Leader } from './companions.ts';
import { type Entry, isWhole } from './entry.ts';
import type { KeyInLane } from './keys-on-disk.ts';

/** What a record takes on disk beyond its key and data, with what an explicit hash key and a key beyond ASCII add. */
export const RECORD_OVERHEAD_BYTES = 64;

/** What is in memory, in flight or not. */
export interface InMemory {
  readonly records: number;
  readonly bytes: number;
  entries(): Iterable<Entry>;
}

/** What a write takes together, in this order: first the companions, which are in memory, then the entries. */
export interface Write {
  readonly companions: Companions;
  readonly entries: readonly Entry[];
  /** Of the entries, those that must not be on the disk without their companions. */
  readonly followers: ReadonlySet<Entry>;
}

/** A record that may be added. */
export interface Candidate {
  readonly bytes: number;
  /** Set where older records of its key are in memory alone. */
  readonly leader: Leader | undefined;
}

/** Gathers the records that are written to the disk next, with those in memory that have to be there before them. */
export class NextWrite {
  readonly #inMemory: InMemory;
  #entries: Entry[] = [];
  #bytes = 0;
  #followers = new Set<Entry>();
  #companions = new Companions();
  /** On disk; undefined until somebody asks. */
  #companionBytes: number | undefined;

  constructor(inMemory: InMemory) {
    this.#inMemory = inMemory;
  }

  /** That its entries take on disk, at most. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether all that is in memory of this key is written with it. */
  covers(key: KeyInLane): boolean {
    return this.#companions.cover(key);
  }

  /** Whether so many bytes are enough for it and one more record, companions included. */
  fitsIn(freeBytes: number, { bytes, leader }: Candidate): boolean {
    const left = freeBytes - this.#bytes - bytes - RECORD_OVERHEAD_BYTES;
    if (leader === undefined && this.#companions.isEmpty) return left >= 0;
    const { records, bytes: inMemory } = this.#inMemory;
    // All that is in memory is more than enough, and costs nothing to know.
    if (left >= inMemory + records * RECORD_OVERHEAD_BYTES) return true;
    return left >= this.#bytesOfCompanions(leader);
  }

  add(entry: Entry, leader: Leader | undefined): void {
    this.#entries.push(entry);
    this.#bytes += entry.size + RECORD_OVERHEAD_BYTES;
    if (leader !== undefined && !this.covers(leader)) {
      this.#companions.add(leader);
      this.#companionBytes = undefined;
    }
    if (this.covers(entry)) this.#followers.add(entry);
  }

  /** What was gathered; the next write begins empty. */
  take(): Write {
    const write = { companions: this.#companions, entries: this.#entries, followers: this.#followers };
    this.#entries = [];
    this.#bytes = 0;
    this.#followers = new Set();
    this.#companions = new Companions();
    this.#companionBytes = undefined;
    return write;
  }

  #bytesOfCompanions(leader: Leader | undefined): number {
    if (leader === undefined || this.covers(leader)) {
      this.#companionBytes ??= this.#bytesIf((entry) => this.#companions.has(entry));
      return this.#companionBytes;
    }
    const more = new Companions();
    more.add(leader);
    return this.#bytesIf((entry) => this.#companions.has(entry) || more.has(entry));
  }

  #bytesIf(isCompanion: (entry: Entry) => boolean): number {
    let bytes = 0;
    for (const entry of this.#inMemory.entries()) {
      if (isOnlyInMemory(entry) && isCompanion(entry)) bytes += entry.size + RECORD_OVERHEAD_BYTES;
    }
    return bytes;
  }
}

/** It can be made durable, and is not. One whose bytes its owner has taken away is refused when its turn comes. */
export const isOnlyInMemory = (entry: Entry): boolean => !entry.isSpooled && isWhole(entry);
