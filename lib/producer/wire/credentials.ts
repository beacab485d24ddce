import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { ProducerOptions } from '../options.ts';
import { CredentialsError } from './errors.ts';
import { type Identity, identityProblem } from './identity.ts';

type Source = NonNullable<ProducerOptions['credentials']>;

/** As the SDK: "credentials treated as expired" five minutes before they are (credential-provider-node). */
const REFRESH_BEFORE_MS = 5 * 60_000;
/** Pause after a refresh that failed or was forced, so that a sick provider is not asked once per request. */
const REFRESH_PAUSE_MS = 1_000;
/** Longest wait for the provider: a role that is assumed, or a process that asks a person's session, takes seconds. */
const PROVIDER_TIMEOUT_MS = 10_000;

/**
 * Who signs. Refreshed before expiry and beside the traffic: while the identity at hand is valid, nobody waits for a
 * provider, whether it is slow, hangs or fails. The instance's metadata service may be as impaired as the region is.
 *
 * An identity that looks expired signs where there is none better: whether it is, the service knows, and this machine's
 * clock may be wrong. A provider's answer is taken however late it comes.
 */
export class Credentials {
  readonly #provide: (options: { readonly forceRefresh: boolean }) => Promise<Identity>;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  #identity: Identity | undefined;
  #refreshing: Promise<Identity> | undefined;
  /** Ends the wait for the provider. */
  #giveUp: (reason: Error) => void = () => {};
  #asked = 0;
  /** Which of the questions the identity is the answer to. */
  #answered = 0;
  /** No refresh before this while the identity is valid. */
  #pauseUntilMs = Number.NEGATIVE_INFINITY;
  /** The service called the identity expired, whatever its own date says. */
  #rejected = false;

  constructor(options: {
    readonly source: Source | undefined;
    /** Longest wait for the provider. Default 10,000. */
    readonly timeoutMs?: number;
    /** The time as the service sees it. */
    readonly now?: () => number;
  }) {
    const source = options.source ?? defaultProvider();
    this.#provide = typeof source === 'function' ? source : async () => source;
    this.#timeoutMs = options.timeoutMs ?? PROVIDER_TIMEOUT_MS;
    this.#now = options.now ?? (() => Date.now());
  }

  /** @throws CredentialsError when the provider has given no identity yet. */
  async current(): Promise<Identity> {
    const identity = this.#identity;
    if (identity === undefined) return this.#refresh();
    const leftMs = (identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - this.#now();
    if (leftMs > REFRESH_BEFORE_MS && !this.#rejected) return identity;
    if (this.#refreshing === undefined && this.#isPausing()) return identity;
    const refreshed = this.#refresh().catch(() => this.#identity ?? identity);
    return this.#rejected || leftMs <= 0 ? refreshed : identity;
  }

  /** Nobody waits for the provider any more. */
  close(): void {
    this.#giveUp(new Error('the producer was closed'));
  }

  /** The service answered ExpiredTokenException to `identity`: forces one refresh, unless it has been replaced since. */
  reject(identity: Identity): void {
    if (identity === this.#identity) this.#rejected = true;
  }

  #refresh(): Promise<Identity> {
    this.#refreshing ??= this.#fetch().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #fetch(): Promise<Identity> {
    const timeout = Promise.withResolvers<never>();
    this.#giveUp = timeout.reject;
    const timer = setTimeout(
      () => timeout.reject(new Error(`no answer within ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
    try {
      const forceRefresh = this.#rejected;
      if (forceRefresh) this.#pause();
      return await Promise.race([this.#ask({ forceRefresh }), timeout.promise]);
    } catch (cause) {
      this.#pause();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CredentialsError(`No credentials: ${reason}.`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whoever waits for it, its answer is the identity from then on, unless a later question was answered before. */
  async #ask(options: { readonly forceRefresh: boolean }): Promise<Identity> {
    const question = ++this.#asked;
    const identity = await this.#provide(options);
    const problem = identityProblem(identity);
    if (problem !== undefined) throw new Error(`the provider's answer is no identity: ${problem}`);
    if (question < this.#answered) return this.#identity ?? identity;
    this.#answered = question;
    this.#identity = identity;
    this.#rejected = false;
    if ((identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY) <= this.#now()) this.#pause();
    return identity;
  }

  #isPausing(): boolean {
    const leftMs = this.#pauseUntilMs - this.#now();
    // More than the whole pause left: the clock was set back.
    return leftMs > 0 && leftMs <= REFRESH_PAUSE_MS;
  }

  #pause(): void {
    this.#pauseUntilMs = this.#now() + REFRESH_PAUSE_MS;
  }
}
