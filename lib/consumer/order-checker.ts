import { RecentMap } from '../envelope/recent-map.ts';
import type { Enveloped } from '../envelope/unwrap.ts';

export type OrderVerdict =
  /** The record carries no number, because a drain wrapped it: nothing can be said. */
  | { readonly kind: 'unnumbered' }
  /**
   * Nothing is known of this key of this producer, or its numbers restart here: there is nothing to compare
   * with.
   */
  | { readonly kind: 'first' }
  /** The expected record. */
  | { readonly kind: 'next' }
  /**
   * Records before this one are missing so far; undefined at the beginning of an epoch, when their number is
   * unknown.
   */
  | { readonly kind: 'gap'; readonly missing: number | undefined }
  /** The record was missing, and arrives after a later one. */
  | { readonly kind: 'late' }
  /** The record was seen before. */
  | { readonly kind: 'duplicate' }
  /**
   * The record is from an earlier epoch, or older than what is remembered of the key: late or a duplicate,
   * never the next.
   */
  | { readonly kind: 'behind' };

export type OrderedRecord = Pick<Enveloped, 'producerId' | 'epoch' | 'sequence' | 'first'> & {
  readonly partitionKey: string;
};

export interface OrderCheckerOptions {
  /** Keys of producers that are certainly remembered; up to twice as many are in memory. Default 100,000. */
  readonly maxKeys?: number;
}

interface KeyState {
  epoch: number;
  last: number;
  /** From this number to `last` every number is known: seen, or in `missing`. */
  knownFrom: number;
  /** Ranges, first and last included, oldest first; at most MAX_GAPS. */
  missing: [from: number, to: number][];
}

const DEFAULT_MAX_KEYS = 100_000;
const MAX_GAPS = 8;

/**
 * Compares each record with the one before it of the same producer and key. A gap in a region's stream is a
 * lost record only if no other region has it: a producer begins a new epoch when it moves, and records in
 * flight at that moment land in the other region. A key that was not seen while `maxKeys` others were is
 * forgotten, and begins again with `first`.
 *
 * Takes records with an envelope alone. A marked record of an observer (`probe` of unwrap's result) has no number and no
 * place in the order of any key: skip it before. It leaves no gap in the numbers of the others.
 */
export class OrderChecker {
  readonly #keys: RecentMap<KeyState>;

  constructor({ maxKeys = DEFAULT_MAX_KEYS }: OrderCheckerOptions = {}) {
    this.#keys = new RecentMap({ maxKeys });
  }

  /** Entries in memory: at most twice `maxKeys`. */
  get size(): number {
    return this.#keys.size;
  }

  check(record: OrderedRecord): OrderVerdict {
    const { epoch, sequence, first } = record;
    if (sequence === 0) return { kind: 'unnumbered' };
    const key = `${record.producerId} ${record.partitionKey}`;
    const state = this.#keys.get(key);
    if (state === undefined || epoch > state.epoch) {
      this.#keys.set(key, { epoch, last: sequence, knownFrom: sequence, missing: [] });
      return state === undefined || first ? { kind: 'first' } : { kind: 'gap', missing: undefined };
    }
    if (epoch < state.epoch || sequence < state.knownFrom) return { kind: 'behind' };
    if (sequence <= state.last) return { kind: fillGap(state, sequence) ? 'late' : 'duplicate' };
    const missing = sequence - state.last - 1;
    if (first) {
      // The producer had forgotten the key: the numbers between were never used, or nothing is known of them.
      state.knownFrom = sequence;
      state.missing = [];
    } else if (missing > 0) addGap(state, [state.last + 1, sequence - 1]);
    state.last = sequence;
    if (first) return { kind: 'first' };
    return missing > 0 ? { kind: 'gap', missing } : { kind: 'next' };
  }
}

function addGap(state: KeyState, gap: [number, number]): void {
  state.missing.push(gap);
  bound(state);
}

/**
 * Removes the number from the gap that contains it, which may split the gap in two; false when no gap
 * contains it.
 */
function fillGap(state: KeyState, sequence: number): boolean {
  const at = state.missing.findIndex(([from, to]) => from <= sequence && sequence <= to);
  const gap = state.missing[at];
  if (gap === undefined) return false;
  const [from, to] = gap;
  const rest: [number, number][] = [];
  if (from < sequence) rest.push([from, sequence - 1]);
  if (sequence < to) rest.push([sequence + 1, to]);
  state.missing.splice(at, 1, ...rest);
  bound(state);
  return true;
}

/** Forgets the oldest gap beyond the limit, and everything before its end. */
function bound(state: KeyState): void {
  if (state.missing.length <= MAX_GAPS) return;
  const forgotten = state.missing.shift();
  if (forgotten !== undefined) state.knownFrom = forgotten[1] + 1;
}
