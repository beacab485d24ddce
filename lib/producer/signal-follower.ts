import { Resolver } from 'node:dns/promises';
import { parseSignal, type Signal } from '../../lambda/core/signal.ts';
import type { ProducerOptions } from './options.ts';

const DEFAULT_POLL_MS = 2_000;
const DEFAULT_TIMEOUT_MS = 1_000;
/** Polls of many producers must not fall into step. */
const JITTER = 0.1;

export interface FollowerHooks {
  readonly onSignal: (signal: Signal) => void;
  /** An answer that is not a usable signal, or no answer; the last good one stays in force. */
  readonly onProblem: (problem: string) => void;
  readonly random: () => number;
}

/**
 * Asks for the signal again and again, and tells when it changes. Keeps the last answer when DNS fails or lies. Nothing
 * is cached here, so the record's TTL is the resolver's to respect and adds to `pollMs` at most once. Several servers
 * are asked in turn until one gives a usable answer: one that is down, or lies in a way that can be seen, does no harm.
 */
export class SignalFollower {
  readonly #options: ProducerOptions['signal'];
  readonly #regions: readonly string[];
  readonly #hooks: FollowerHooks;
  readonly #resolvers: readonly Resolver[];
  #current: Signal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: Pick<ProducerOptions, 'signal' | 'regions'>, hooks: FollowerHooks) {
    this.#options = options.signal;
    this.#regions = options.regions;
    this.#hooks = hooks;
    const { servers } = options.signal;
    const timeout = options.signal.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#resolvers = (servers === undefined ? [undefined] : servers).map((server) => {
      const resolver = new Resolver({ timeout, maxTimeout: timeout, tries: 1 });
      if (server !== undefined) resolver.setServers([server]);
      return resolver;
    });
    void this.#poll();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const resolver of this.#resolvers) resolver.cancel();
  }

  async #poll(): Promise<void> {
    for (const resolver of this.#resolvers) {
      const signal = await this.#ask(resolver);
      if (this.#stopped) return;
      if (signal === undefined) continue;
      this.#take(signal);
      break;
    }
    const pollMs = this.#options.pollMs ?? DEFAULT_POLL_MS;
    const jitterMs = pollMs * JITTER * (2 * this.#hooks.random() - 1);
    this.#timer = setTimeout(() => void this.#poll(), pollMs + jitterMs);
  }

  async #ask(resolver: Resolver): Promise<Signal | undefined> {
    try {
      return this.#read(await resolver.resolveTxt(this.#options.name));
    } catch (error) {
      if (!this.#stopped) this.#hooks.onProblem(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #take(signal: Signal): void {
    if (signal.region === this.#current?.region && signal.stream === this.#current.stream) return;
    this.#current = signal;
    this.#hooks.onSignal(signal);
  }

  #read(texts: readonly (readonly string[])[]): Signal | undefined {
    const [only, ...others] = texts;
    if (only === undefined || others.length > 0) {
      this.#hooks.onProblem(`${texts.length} TXT strings where one signal is expected`);
      return undefined;
    }
    const parsed = parseSignal(only.join(''), this.#regions);
    if (parsed.ok) return parsed.signal;
    this.#hooks.onProblem(`the answer is not usable: ${parsed.rejection}`);
    return undefined;
  }
}
