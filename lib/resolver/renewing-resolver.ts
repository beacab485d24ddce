import { CANCELLED, CONNREFUSED, TIMEOUT } from 'node:dns';
import type { Resolver } from 'node:dns/promises';
import { type OpenResolver, openGiven, openSystem, sameServers } from './servers.ts';

export interface RenewingResolverOptions {
  /** As `address` or `address:port`. Default: the application's (`dns.setServers`), else the system's. */
  readonly servers?: readonly string[] | undefined;
  /** Longest wait for the answer of one server. */
  readonly timeoutMs: number;
  /** What tests put in place of `servers`. */
  readonly open?: OpenResolver;
}

export interface Question<Value> {
  /** Asks with a resolver; throws what is wrong with an answer that cannot be used. */
  readonly ask: (resolver: Resolver) => Promise<Value>;
  /** `code` is node's, such as ENOTFOUND; undefined for an answer that cannot be used. */
  readonly onProblem?: ((problem: string, code?: string) => void) | undefined;
}

export interface TxtQuestion<Value> {
  readonly name: string;
  /** Throws what is wrong with an answer that cannot be used. */
  readonly read: (texts: readonly (readonly string[])[]) => Value;
  readonly onProblem?: Question<Value>['onProblem'];
}

/** How often the system's servers are looked at while a question is open: its time-out may be long. */
const LOOK_MS = 1_000;
/** node looks for time-outs at intervals of one (of a second at most), so that one may take twice as long. */
const TIMEOUT_FACTOR = 2;
const DEADLINE_MARGIN_MS = 1_000;
/** With the servers as they were, and once more if they have changed. */
const MAX_ROUNDS = 2;
/** c-ares has asked every server by then; what else fails is an answer, which another server may know better. */
const asksAll: readonly string[] = [TIMEOUT, CONNREFUSED, CANCELLED];

/**
 * For processes that ask for months. The servers are read again before each question and whenever one fails, so that a
 * new resolver of the machine is asked without a restart; while they are the same and answer, c-ares keeps its memory of
 * those that are silent and asks them last.
 */
export class RenewingResolver {
  readonly #timeoutMs: number;
  readonly #open: OpenResolver;
  readonly #asking = new Set<Resolver>();
  #resolver: Resolver;
  /** As they were named: a resolver that is used gives those that have failed last. */
  #servers: readonly string[];
  #failed = false;
  #cancelled = false;

  constructor({ servers, timeoutMs, open }: RenewingResolverOptions) {
    this.#timeoutMs = timeoutMs;
    this.#open = open ?? (servers === undefined ? openSystem : openGiven(servers));
    this.#resolver = this.#open(timeoutMs);
    this.#servers = this.#resolver.getServers();
  }

  /** Whom the last question went to. */
  get servers(): readonly string[] {
    return this.#servers;
  }

  /** The first usable answer of a TXT record, or undefined. Never throws. */
  ask<Value>({ name, read, onProblem }: TxtQuestion<Value>): Promise<Value | undefined> {
    return this.query({ ask: async (resolver) => read(await resolver.resolveTxt(name)), onProblem });
  }

  /** The first usable answer, or undefined. Never throws. */
  async query<Value>(question: Question<Value>): Promise<Value | undefined> {
    for (let round = 0; round < MAX_ROUNDS && !this.#cancelled; round++) {
      this.#renew();
      const value = await this.#askServers(question);
      this.#failed = value === undefined;
      if (value !== undefined || !this.#haveChanged()) return value;
    }
    return undefined;
  }

  /** Ends what is being asked; nothing is asked afterwards. */
  cancel(): void {
    this.#cancelled = true;
    for (const resolver of this.#asking) resolver.cancel();
  }

  /** Undefined when none can be made, for want of memory for example: then the old one has to do. */
  #fresh(): Resolver | undefined {
    try {
      return this.#open(this.#timeoutMs);
    } catch {
      return undefined;
    }
  }

  #haveChanged(): boolean {
    const fresh = this.#fresh();
    return fresh !== undefined && !sameServers(fresh.getServers(), this.#servers);
  }

  /** A resolver that failed may also hold a socket of a network that is gone. */
  #renew(): void {
    const fresh = this.#fresh();
    if (fresh === undefined) return;
    const servers = fresh.getServers();
    if (!this.#failed && sameServers(servers, this.#servers)) return;
    this.#resolver = fresh;
    this.#servers = servers;
  }

  /** c-ares goes on to the next server when one is silent, but takes a refusal or a lie of the first for the answer. */
  async #askServers<Value>(question: Question<Value>): Promise<Value | undefined> {
    const servers = this.#servers;
    try {
      return await this.#askWith(this.#resolver, question);
    } catch (error) {
      if (servers.length < 2 || asksAll.includes(codeOf(error) ?? '')) {
        this.#tell(question, messageOf(error), error);
        return undefined;
      }
    }
    for (const server of servers) {
      if (this.#cancelled) return undefined;
      try {
        return await this.#askWith(openGiven([server])(this.#timeoutMs), question);
      } catch (error) {
        this.#tell(question, `${server}: ${messageOf(error)}`, error);
      }
    }
    return undefined;
  }

  async #askWith<Value>(resolver: Resolver, { ask }: Question<Value>): Promise<Value> {
    const deadlineMs = this.#servers.length * this.#timeoutMs * TIMEOUT_FACTOR + DEADLINE_MARGIN_MS;
    const startedMs = performance.now();
    const watch = setInterval(() => {
      const late = performance.now() - startedMs > deadlineMs;
      if (late || this.#haveChanged()) resolver.cancel();
    }, LOOK_MS);
    this.#asking.add(resolver);
    try {
      return await ask(resolver);
    } finally {
      clearInterval(watch);
      this.#asking.delete(resolver);
    }
  }

  #tell({ onProblem }: Pick<Question<unknown>, 'onProblem'>, problem: string, error: unknown): void {
    if (!this.#cancelled) onProblem?.(problem, codeOf(error));
  }
}

function codeOf(error: unknown): string | undefined {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
