import { parseSignal, type Signal } from '../../lambda/core/signal.ts';
import { RenewingResolver } from '../resolver/renewing-resolver.ts';
import type { OpenResolver } from '../resolver/servers.ts';
import type { ProducerOptions } from './options.ts';
import { TtlWatch } from './ttl-watch.ts';

const DEFAULT_POLL_MS = 2_000;
const DEFAULT_TIMEOUT_MS = 1_000;
/** TTL of a deployment's records unless `delivery.dnsTtlSeconds` says otherwise. */
const DEFAULT_TTL_SECONDS = 5;
/** Jitter that keeps the polls of many producers from falling into step. */
const JITTER = 0.1;

export type FollowerOptions = Pick<ProducerOptions, 'signal' | 'regions'>;

export interface FollowerHooks {
  readonly onSignal: (signal: Signal) => void;
  /**
   * Called when there is no answer, or an answer that is not a usable signal; the last good signal stays in
   * force. Also called once, not at each answer, for a resolver that keeps answers for too long.
   */
  readonly onProblem: (problem: string) => void;
}

/** Parts that tests replace. */
export interface FollowerParts {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly open?: OpenResolver;
  readonly ttlLookMs?: number;
}

/**
 * Polls the signal, and tells all joined listeners when it changes. Keeps the last good signal when DNS fails
 * or gives an invalid answer. Nothing is cached here: the resolver has to respect the record's TTL, which
 * adds to `pollMs` at most once, and a resolver that does not is reported. Of several servers, one that is
 * down, or whose answer is visibly invalid, does no harm. The system's servers are read again before each
 * question.
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

  /**
   * Adds a listener, which immediately hears the signal that the others know. Returns the function that
   * removes it.
   */
  join(hooks: FollowerHooks): () => void {
    // A copy for each, in case the same object is given twice.
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
    if (isSame(signal, this.#current)) return;
    this.#current = signal;
    this.#tellAll('onSignal', signal);
  }

  /** Reads the answer as a signal. @throws Error with what is wrong with the answer. */
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

  /**
   * Calls each listener in its own turn of the event loop: one that throws must neither stop the polling nor
   * block the other listeners.
   */
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

const isSame = (one: Signal, other: Signal | undefined): boolean =>
  one.region === other?.region && one.stream === other.stream && one.account === other.account;
