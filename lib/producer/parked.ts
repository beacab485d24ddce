import type { CheckedRecord } from './checked-record.ts';
import type { Ticket } from './entry.ts';
import { Fifo } from './fifo.ts';

/** A record that waits in the admission queue for others of its key or shard. */
export interface ParkedRecord {
  readonly record: CheckedRecord;
  readonly ticket: Ticket;
  readonly index: number;
}

/** Lanes that are tried in one turn; the others are tried next time. */
const LANES_A_TURN = 64;

/**
 * Records that wait in the admission queue because their own lane is full, so that calls behind them need not
 * wait too.
 */
export class Parked {
  readonly #lanes = new Map<number, Fifo<ParkedRecord>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whether records of this lane wait here: later records of the lane then have to wait as well. */
  has(lane: number): boolean {
    return this.#lanes.has(lane);
  }

  add(lane: number, parked: ParkedRecord): void {
    let queue = this.#lanes.get(lane);
    if (queue === undefined) {
      queue = new Fifo<ParkedRecord>();
      this.#lanes.set(lane, queue);
    }
    queue.push(parked);
    this.#size++;
  }

  /**
   * Removes, lane by lane, the records that `take` accepts. `take` returns whether it took the record, or
   * `stop` to end the turn.
   */
  letIn(take: (parked: ParkedRecord) => boolean | 'stop'): void {
    let turns = Math.min(LANES_A_TURN, this.#lanes.size);
    for (const [lane, queue] of this.#lanes) {
      if (turns-- === 0) return;
      for (let first = queue.peek(); first !== undefined; first = queue.peek()) {
        const isTaken = take(first);
        if (isTaken === 'stop') return;
        if (!isTaken) break;
        queue.shift();
        this.#size--;
      }
      this.#lanes.delete(lane);
      // Moves the lane to the end: lanes that had no turn are first next time.
      if (queue.length > 0) this.#lanes.set(lane, queue);
    }
  }

  /** Removes and returns the records that were put before this moment. */
  takeBefore(beforeMs: number): readonly ParkedRecord[] {
    const taken: ParkedRecord[] = [];
    for (const [lane, queue] of this.#lanes) {
      taken.push(...queue.remove(({ ticket }) => ticket.acceptedAtMs < beforeMs));
      if (queue.length === 0) this.#lanes.delete(lane);
    }
    this.#size -= taken.length;
    return taken;
  }
}
