import { askServer, type TxtAnswer, txtOf } from '../resolver/ask-server.ts';
import { isStretched, STRETCHING_OPTIONS } from '../resolver/ttl.ts';

export interface TtlWatchOptions {
  readonly name: string;
  /** The TTL that the record's owner has set. */
  readonly ttlSeconds: number;
  /**
   * Called when a cache keeps the answer for longer than its TTL: once, until the cache has been well again
   * for a while.
   */
  readonly onStretched: (problem: string) => void;
  readonly onWell: () => void;
  /** Time between two looks. Default 15,000. */
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

const INTERVAL_MS = 15_000;
/** Longest interval. Where no server answers over UDP, looking is useless and becomes rare. */
const MAX_INTERVAL_MS = 300_000;
const TIMEOUT_MS = 1_000;
const MAX_SERVERS = 3;
/** Longest time for which an old finding counts, whatever TTL was seen. */
const MAX_MEMORY_SECONDS = 3_600;

/**
 * Checks now and then whether the resolver's cache keeps the signal beyond its TTL: a failover would then be
 * followed late, and nothing else would show it. A cache with a minimum TTL reveals itself, because the TTL
 * in its answers counts down from that minimum. node:dns does not give the TTL of a TXT record, so the
 * servers are asked a second time, apart from the polls: a failure here does not affect those. A cache that
 * also gives a false TTL is not noticed.
 */
export class TtlWatch {
  readonly #options: TtlWatchOptions;
  readonly #now: () => number;
  readonly #abort = new AbortController();
  #servers: readonly string[] = [];
  #looking = false;
  #nextLookMs = Number.NEGATIVE_INFINITY;
  #waitMs: number;
  /** The longest TTL seen in this episode, if there is one. */
  #longest: { ttlSeconds: number; seenMs: number } | undefined;

  constructor(options: TtlWatchOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#waitMs = options.intervalMs ?? INTERVAL_MS;
  }

  /**
   * Call after an answer of these servers: looks if it is time to. Never rejects, and no caller has to wait.
   */
  async look(servers: readonly string[]): Promise<void> {
    if (servers.join() !== this.#servers.join()) this.#begin(servers);
    if (this.#looking || this.#now() < this.#nextLookMs || this.#abort.signal.aborted) return;
    this.#looking = true;
    await this.#ask();
    this.#looking = false;
    this.#nextLookMs = this.#now() + this.#waitMs;
  }

  stop(): void {
    this.#abort.abort();
  }

  /** Starts anew, because earlier findings are about other servers. */
  #begin(servers: readonly string[]): void {
    this.#servers = servers;
    this.#nextLookMs = Number.NEGATIVE_INFINITY;
    this.#waitMs = this.#options.intervalMs ?? INTERVAL_MS;
    this.#end();
  }

  async #ask(): Promise<void> {
    const { name, timeoutMs = TIMEOUT_MS, intervalMs = INTERVAL_MS } = this.#options;
    const servers = this.#servers;
    for (const server of servers.slice(0, MAX_SERVERS)) {
      const question = { server, name, type: 'TXT', timeoutMs, recursive: true } as const;
      const answer = await askServer({ ...question, abortSignal: this.#abort.signal }).catch(() => undefined);
      if (this.#abort.signal.aborted || servers !== this.#servers) return;
      const txt = answer === undefined ? undefined : txtOf(answer);
      if (txt === undefined) continue;
      this.#waitMs = intervalMs;
      this.#judge(server, txt);
      return;
    }
    this.#waitMs = Math.min(this.#waitMs * 2, MAX_INTERVAL_MS);
  }

  #judge(server: string, { ttlSeconds }: TxtAnswer): void {
    const nowMs = this.#now();
    const longest = this.#longest;
    if (isStretched(ttlSeconds, this.#options.ttlSeconds)) {
      const known = longest?.ttlSeconds ?? 0;
      this.#longest = { ttlSeconds: Math.max(known, ttlSeconds), seenMs: nowMs };
      if (longest === undefined) this.#options.onStretched(this.#problem(server, ttlSeconds));
    } else if (longest !== undefined) {
      // The last seconds of an answer that is kept too long look like those of any other answer.
      const memoryMs = Math.min(longest.ttlSeconds, MAX_MEMORY_SECONDS) * 1_000 + this.#waitMs;
      if (nowMs - longest.seenMs > memoryMs) this.#end();
    }
  }

  #end(): void {
    if (this.#longest === undefined) return;
    this.#longest = undefined;
    this.#options.onWell();
  }

  #problem(server: string, seconds: number): string {
    const { name, ttlSeconds } = this.#options;
    return (
      `the resolver ${server} answers with a TTL of ${seconds} s for ${name}, whose own is ${ttlSeconds} s: a failover may be followed ` +
      `as much later. Let it respect TTLs (${STRETCHING_OPTIONS}), or ask another one (\`signal.servers\`). If the record’s own ` +
      'TTL is longer, say so in `signal.ttlSeconds`.'
    );
  }
}
