import { fullJitterMs } from '../region-health.ts';
import type { RegionalStream } from '../transport.ts';
import { ShardMap, type ShardRange } from './shard-map.ts';

export interface ShardMapsOptions {
  /** Undefined where shards cannot be asked for. */
  readonly list: ((stream: RegionalStream) => Promise<readonly ShardRange[]>) | undefined;
  readonly random: () => number;
  /** There is another map to use, or none. Called after each answer, whatever it was. */
  readonly onMap: (map: ShardMap | undefined) => void;
  /** The shards cannot be had: told once for each stream, until they can. */
  readonly onProblem: (problem: unknown) => void;
}

/** Pauses between questions that fail: first and longest. ListShards takes 1,000 calls a second for each stream. */
const RETRY = { retryBaseMs: 1_000, retryMaxMs: 60_000 } as const;

/**
 * A list that nothing contradicts is asked for again after this time: a stream that was deleted and made again under its name has
 * shards of the same names.
 */
const AGAIN_MS = 300_000;

/** Keeps the shard map of the stream that is written to now. */
export class ShardMaps {
  readonly #options: ShardMapsOptions;
  #stream: RegionalStream | undefined;
  #current: ShardMap | undefined;
  /** A map that an answer contradicted: a list that says the same is as old. */
  #expired: ShardMap | undefined;
  #asking = false;
  #failures = 0;
  #isTold = false;
  #retry: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #isFresh = false;
  #fresh: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ShardMapsOptions) {
    this.#options = options;
  }

  get current(): ShardMap | undefined {
    return this.#current;
  }

  /** This is the stream from now on; its map comes with `onMap`. */
  aim(stream: RegionalStream): void {
    if (isSame(stream, this.#stream)) return;
    this.#stream = stream;
    this.#current = this.#expired = undefined;
    this.#failures = 0;
    this.#isTold = false;
    this.#asking = false;
    this.#ask();
  }

  /** The map is out of date. The next one comes with `onMap`. */
  expire(): void {
    this.#expired = this.#current ?? this.#expired;
    this.#current = undefined;
    if (this.#retry !== undefined) return;
    if (this.#isFresh) this.#askAfter(RETRY.retryBaseMs);
    else this.#ask();
  }

  /** Nothing is known of the stream any more. */
  forget(): void {
    this.#current = this.#expired = undefined;
    if (this.#retry === undefined && !this.#asking) this.#askAfter(RETRY.retryBaseMs);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#fresh);
    clearTimeout(this.#again);
  }

  #askAfter(pauseMs: number): void {
    this.#retry = setTimeout(() => this.#ask(), pauseMs);
    this.#retry.unref();
  }

  #askAgain(): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#ask(), AGAIN_MS * (0.5 + this.#options.random()));
    this.#again.unref();
  }

  /** A list may be older than the answer that contradicts it: the next one is asked for after a pause. */
  #rest(): void {
    clearTimeout(this.#fresh);
    this.#isFresh = true;
    this.#fresh = setTimeout(() => {
      this.#isFresh = false;
    }, RETRY.retryBaseMs);
    this.#fresh.unref();
  }

  #ask(): void {
    const stream = this.#stream;
    const { list } = this.#options;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (stream === undefined || list === undefined || this.#asking || this.#isClosed) return;
    this.#asking = true;
    list(stream).then(
      (shards) => this.#answered(stream, ShardMap.of(shards)),
      (problem: unknown) => this.#answered(stream, undefined, problem),
    );
  }

  #answered(stream: RegionalStream, listed: ShardMap | undefined, problem?: unknown): void {
    if (this.#isClosed || stream !== this.#stream) return;
    this.#asking = false;
    const { random, onMap, onProblem } = this.#options;
    if (this.#current !== undefined && (listed === undefined || listed.equals(this.#current))) {
      // Nothing has changed, or nobody could say: what is known stays in force, and is asked for again.
      this.#askAgain();
      return;
    }
    const map = this.#expired !== undefined && listed?.equals(this.#expired) ? undefined : listed;
    this.#current = map;
    if (map === undefined) {
      const pauseMs = Math.max(RETRY.retryBaseMs, fullJitterMs(this.#failures++, { ...RETRY, random }));
      this.#askAfter(pauseMs);
      // A list made in the middle of a split is no problem, and has no error.
      if (problem !== undefined && !this.#isTold) {
        this.#isTold = true;
        onProblem(problem);
      }
    } else {
      this.#failures = 0;
      this.#isTold = false;
      this.#rest();
      this.#askAgain();
    }
    onMap(map);
  }
}

const isSame = (one: RegionalStream, other: RegionalStream | undefined): boolean =>
  one.region === other?.region && one.stream === other.stream && one.streamArn === other.streamArn;
