import { Companions, type Leader } from './companions.ts';
import { type Entry, isWhole } from './entry.ts';
import type { KeyInLane } from './keys-on-disk.ts';

/**
 * Bytes that a record takes on disk beyond its key and data, including an explicit hash key and a key beyond
 * ASCII.
 */
export const RECORD_OVERHEAD_BYTES = 64;

/** The records in memory, in flight or not. */
export interface InMemory {
  readonly records: number;
  readonly bytes: number;
  entries(): Iterable<Entry>;
}

/** The records of one write, in this order: first the companions, which are in memory, then the entries. */
export interface Write {
  readonly companions: Companions;
  readonly entries: readonly Entry[];
  /** Those of the entries that must not be on the disk without their companions. */
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
  /** Bytes of the companions on disk; undefined until they are needed. */
  #companionBytes: number | undefined;

  constructor(inMemory: InMemory) {
    this.#inMemory = inMemory;
  }

  /** Bytes that the gathered entries take on disk, at most. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether all records of this key that are in memory are part of the write. */
  covers(key: KeyInLane): boolean {
    return this.#companions.cover(key);
  }

  /** Whether this many bytes are enough for the write and one more record, companions included. */
  fitsIn(freeBytes: number, { bytes, leader }: Candidate): boolean {
    const left = freeBytes - this.#bytes - bytes - RECORD_OVERHEAD_BYTES;
    if (leader === undefined && this.#companions.isEmpty) return left >= 0;
    const { records, bytes: inMemory } = this.#inMemory;
    // If everything in memory would fit, the companions need not be counted.
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

  /** Returns what was gathered; the next write begins empty. */
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

/**
 * Whether the entry can still be made durable. One whose owner has taken its bytes away is refused when its
 * turn comes.
 */
export const isOnlyInMemory = (entry: Entry): boolean => !entry.isSpooled && isWhole(entry);
