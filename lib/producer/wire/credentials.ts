import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { ProducerOptions } from '../options.ts';
import { CredentialsError } from './errors.ts';

type Source = NonNullable<ProducerOptions['credentials']>;
export type Identity = Exclude<Source, (...args: never[]) => unknown>;

/** As the SDK: "credentials treated as expired" five minutes before they are (credential-provider-node). */
const REFRESH_BEFORE_MS = 5 * 60_000;
/** Pause after a refresh that failed or was forced, so that a sick provider is not asked once per request. */
const REFRESH_PAUSE_MS = 1_000;

/**
 * Who signs. Refreshed before expiry and beside the traffic: while the identity at hand is valid, nobody waits for a
 * provider, whether it is slow, hangs or fails. The instance's metadata service may be as impaired as the region is.
 */
export class Credentials {
  readonly #provide: (options: { readonly forceRefresh: boolean }) => Promise<Identity>;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  #identity: Identity | undefined;
  #refreshing: Promise<Identity> | undefined;
  /** No refresh before this while the identity is valid. */
  #pauseUntilMs = Number.NEGATIVE_INFINITY;
  /** The service called the identity expired, whatever its own date says. */
  #rejected = false;

  constructor(options: {
    readonly source: Source | undefined;
    /** Longest wait for the provider. */
    readonly timeoutMs: number;
    readonly now?: () => number;
  }) {
    const source = options.source ?? defaultProvider();
    this.#provide = typeof source === 'function' ? source : async () => source;
    this.#timeoutMs = options.timeoutMs;
    this.#now = options.now ?? (() => Date.now());
  }

  /** @throws CredentialsError when there is no identity that is still valid. */
  async current(): Promise<Identity> {
    const identity = this.#identity;
    if (identity === undefined) return this.#refresh();
    const leftMs = (identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - this.#now();
    if (leftMs > REFRESH_BEFORE_MS && !this.#rejected) return identity;
    if (leftMs <= 0) return this.#refresh();
    if (this.#refreshing === undefined && this.#isPausing()) return identity;
    const refreshed = this.#refresh().catch(() => identity);
    return this.#rejected ? refreshed : identity;
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
    const timer = setTimeout(
      () => timeout.reject(new Error(`no answer within ${this.#timeoutMs} ms`)),
      this.#timeoutMs,
    );
    try {
      const forceRefresh = this.#rejected;
      if (forceRefresh) this.#pause();
      const identity = await Promise.race([this.#provide({ forceRefresh }), timeout.promise]);
      if (identity.expiration !== undefined && identity.expiration.getTime() <= this.#now()) {
        throw new Error('the provider returned an identity that has expired');
      }
      this.#identity = identity;
      this.#rejected = false;
      return identity;
    } catch (cause) {
      this.#pause();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CredentialsError(`No valid credentials: ${reason}.`, { cause });
    } finally {
      clearTimeout(timer);
    }
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
