import { setTimeout as sleep } from 'node:timers/promises';
import type { Said } from '../core/endpoint-text.ts';
import {
  POSITION_WAIT_MS,
  type Position,
  positionUnread,
  READ_RETRY_MS,
  READ_TIMEOUT_MS,
} from '../core/switch.ts';

/** Positions of the groups that were ever set. */
export type Positions = ReadonlyMap<string, Position>;

export interface SwitchboardOptions {
  /** Reads all switches in one query. Rejects when they cannot be read, or when the signal aborts. */
  readonly read: (signal: AbortSignal) => Promise<Positions>;
  /** Milliseconds of a clock that does not step. */
  readonly nowMs: () => number;
  /** Least time between the starts of two reads, after one that succeeded. */
  readonly refreshMs: number;
  readonly onUnread: (error: unknown) => void;
}

interface Read {
  readonly startedAtMs: number;
  /** Resolves when the read has ended, with or without success. */
  readonly over: Promise<void>;
  readonly end: AbortController;
}

/**
 * One instance's knowledge of all switches. Every path shares one read, and no answer waits long for it:
 * while the read goes on, the last known position is returned. So a table that hangs costs each instance a
 * fraction of a second in each second, however many cells there are, and the checkers still get answers.
 */
export class Switchboard {
  readonly #options: SwitchboardOptions;
  #known: { readonly positions: Positions; readonly readAtMs: number } | undefined;
  #reading: Read | undefined;
  /** Whether the last read that has ended, or was given up, came to nothing. */
  #failing = false;
  #dueAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SwitchboardOptions) {
    this.#options = options;
  }

  /**
   * The position of a group, and whether the switches can be read. Never throws, and never waits longer than a
   * checker can.
   */
  async say(group: string): Promise<Said<Position>> {
    const { nowMs } = this.#options;
    const reading = this.#readingIfDue(nowMs());
    // For the very first answer there is no earlier position to return.
    const waitMs = this.#known === undefined ? READ_TIMEOUT_MS : POSITION_WAIT_MS;
    if (reading !== undefined) await over(reading, reading.startedAtMs + waitMs - nowMs());
    const known = this.#known;
    if (known === undefined) return { value: 'PRIMARY', read: false };
    const position = known.positions.get(group) ?? 'PRIMARY';
    return {
      value: positionUnread({ position, readAtMs: known.readAtMs }, nowMs()),
      read: !this.#failing,
    };
  }

  /** The current read, or a new one when it is due; undefined when the known positions are new enough. */
  #readingIfDue(nowMs: number): Read | undefined {
    const current = this.#reading;
    // Between two requests an instance is frozen, with its timers and sockets: a read from before that is
    // abandoned. Of a table that hangs, an instance that is asked rarely sees nothing else.
    if (current !== undefined && nowMs - current.startedAtMs < READ_TIMEOUT_MS) return current;
    if (current !== undefined) this.#failing = true;
    current?.end.abort();
    this.#reading = undefined;
    if (nowMs < this.#dueAtMs) return undefined;
    this.#reading = this.#begin(nowMs);
    return this.#reading;
  }

  #begin(startedAtMs: number): Read {
    const { read, refreshMs, onUnread } = this.#options;
    const end = new AbortController();
    this.#dueAtMs = startedAtMs + READ_RETRY_MS;
    const signal = AbortSignal.any([end.signal, AbortSignal.timeout(READ_TIMEOUT_MS)]);
    const attempt = read(signal).then(
      (positions) => {
        // An abandoned read may still answer, after a later one has.
        if (startedAtMs < (this.#known?.readAtMs ?? Number.NEGATIVE_INFINITY)) return;
        this.#known = { positions, readAtMs: startedAtMs };
        this.#failing = false;
        this.#dueAtMs = startedAtMs + refreshMs;
      },
      (error: unknown) => {
        this.#failing ||= this.#reading?.startedAtMs === startedAtMs;
        onUnread(error);
      },
    );
    const over = attempt.then(() => {
      if (this.#reading?.startedAtMs === startedAtMs) this.#reading = undefined;
    });
    return { startedAtMs, over, end };
  }
}

async function over(reading: Read, atMostMs: number): Promise<void> {
  const waited = new AbortController();
  const patience = sleep(Math.max(0, atMostMs), undefined, { signal: waited.signal }).catch(() => {});
  await Promise.race([reading.over, patience]);
  waited.abort();
}
