import { parseSignal, type Signal } from '../../lambda/core/signal.ts';
import { RenewingResolver } from '../resolver/renewing-resolver.ts';
import type { OpenResolver } from '../resolver/servers.ts';
import type { ProducerOptions } from './options.ts';
import { TtlWatch } from './ttl-watch.ts';

const DEFAULT_POLL_MS = 2_000;
const DEFAULT_TIMEOUT_MS = 1_000;
/** What a deployment gives its records unless `delivery.dnsTtlSeconds` says otherwise. */
const DEFAULT_TTL_SECONDS = 5;
/** Polls of many producers must not fall into step. */
const JITTER = 0.1;

export type FollowerOptions = Pick<ProducerOptions, 'signal' | 'regions'>;

export interface FollowerHooks {
  readonly onSignal: (signal: Signal) => void;
  /**
   * An answer that is not a usable signal, or no answer; the last good one stays in force. Or a resolver that keeps answers
   * for too long, which is told once and not at each answer.
   */
  readonly onProblem: (problem: string) => void;
}

/** What tests put in place of the world. */
export interface FollowerParts {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly open?: OpenResolver;
  readonly ttlLookMs?: number;
}

/**
 * Asks for the signal again and again, and tells all who have joined when it changes. Keeps the last answer when DNS fails
 * or lies. Nothing is cached here, so the record's TTL is the resolver's to respect and adds to `pollMs` at most once;
 * one that does not respect it is told. Of several servers, one that is down, or lies in a way that can be seen, does no
 * harm. The system's servers are read again before each question.
 */
export class SignalFollower {
  readonly #name: string;
  readonly #pollMs: number;
  readonly #regions: readonly string[];
  readonly #random: () => number;
  readonly #resolver: RenewingResolver;
  readonly #ttlWatch: TtlWatch;
  readonly #joined = new Set<FollowerHooks>();
  #current: Signal | undefined;
  #stretched: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor({ signal, regions }: FollowerOptions, { random, open, ttlLookMs }: FollowerParts) {
    this.#name = signal.name;
    this.#pollMs = signal.pollMs ?? DEFAULT_POLL_MS;
    this.#regions = [...regions];
    this.#random = random;
    this.#resolver = new RenewingResolver({
      servers: signal.servers,
      timeoutMs: signal.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      ...(open === undefined ? {} : { open }),
    });
    this.#ttlWatch = new TtlWatch({
      name: signal.name,
      ttlSeconds: signal.ttlSeconds ?? DEFAULT_TTL_SECONDS,
      onStretched: (problem) => {
        this.#stretched = problem;
        this.#tellAll('onProblem', problem);
      },
      onWell: () => {
        this.#stretched = undefined;
      },
      ...(ttlLookMs === undefined ? {} : { intervalMs: ttlLookMs }),
    });
    void this.#poll();
  }

  /** Whoever comes late hears at once what the others know. Gives the function that leaves. */
  join(hooks: FollowerHooks): () => void {
    // One of its own for each, should the same be given twice.
    const one = { ...hooks };
    this.#joined.add(one);
    if (this.#current !== undefined) this.#tell(one, 'onSignal', this.#current);
    if (this.#stretched !== undefined) this.#tell(one, 'onProblem', this.#stretched);
    return () => void this.#joined.delete(one);
  }

  stop(): void {
    this.#stopped = true;
    this.#joined.clear();
    clearTimeout(this.#timer);
    this.#ttlWatch.stop();
    this.#resolver.cancel();
  }

  async #poll(): Promise<void> {
    const signal = await this.#resolver.ask({
      name: this.#name,
      read: (texts) => this.#read(texts),
      onProblem: (problem) => this.#tellAll('onProblem', problem),
    });
    if (this.#stopped) return;
    if (signal !== undefined) {
      this.#take(signal);
      void this.#ttlWatch.look(this.#resolver.servers);
    }
    const jitterMs = this.#pollMs * JITTER * (2 * this.#random() - 1);
    this.#timer = setTimeout(() => void this.#poll(), this.#pollMs + jitterMs);
  }

  #take(signal: Signal): void {
    if (signal.region === this.#current?.region && signal.stream === this.#current.stream) return;
    this.#current = signal;
    this.#tellAll('onSignal', signal);
  }

  /** @throws Error with what is wrong with the answer. */
  #read(texts: readonly (readonly string[])[]): Signal {
    const [only, ...others] = texts;
    if (only === undefined || others.length > 0)
      throw new Error(`${texts.length} TXT strings where one signal is expected`);
    const parsed = parseSignal(only.join(''), this.#regions);
    if (parsed.ok) return parsed.signal;
    throw new Error(`the answer is not usable: ${parsed.rejection}`);
  }

  #tellAll<Name extends keyof FollowerHooks>(name: Name, news: Parameters<FollowerHooks[Name]>[0]): void {
    for (const hooks of this.#joined) this.#tell(hooks, name, news);
  }

  /** In a turn of its own: one that throws must neither end the following nor keep it from the others. */
  #tell<Name extends keyof FollowerHooks>(
    hooks: FollowerHooks,
    name: Name,
    news: Parameters<FollowerHooks[Name]>[0],
  ): void {
    queueMicrotask(() => {
      if (this.#joined.has(hooks)) (hooks[name] as (news: unknown) => void)(news);
    });
  }
}
