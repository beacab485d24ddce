import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { ProducerOptions } from '../options.ts';
import { CredentialsError } from './errors.ts';
import { type Identity, identityProblem } from './identity.ts';
import { type Network, networkOf } from './network.ts';
import { sdkHandler } from './sdk-handler.ts';

type Source = NonNullable<ProducerOptions['credentials']>;

/**
 * Refresh credentials this long before they expire, as the SDK does: "credentials treated as expired" five
 * minutes before they are (credential-provider-node).
 */
const REFRESH_BEFORE_MS = 5 * 60_000;
/**
 * Pause after a refresh that failed or was forced, so that a failing provider is not asked at every request.
 */
const REFRESH_PAUSE_MS = 1_000;
/**
 * Longest wait for the provider: to assume a role, or to run a process that reads a person's session, takes
 * seconds.
 */
const PROVIDER_TIMEOUT_MS = 10_000;
/** Connections to STS or IAM Identity Center, which are asked once an hour or so. */
const MOST_SOCKETS = 2;

/**
 * The identity that signs requests. It is refreshed before expiry and beside the traffic: while the current
 * identity is valid, no request waits for a provider, even a slow, hanging or failing one. The instance's
 * metadata service may be as impaired as the region.
 *
 * An identity that looks expired still signs if there is no better one: this machine's clock may be wrong,
 * and only the service knows. A provider's answer is used however late it arrives.
 */
export class Credentials {
  readonly #provide: (options: { readonly forceRefresh: boolean }) => Promise<Identity>;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  /** For the services that the SDK's chain asks. */
  readonly #handler: NodeHttpHandler | undefined;
  #identity: Identity | undefined;
  #refreshing: Promise<Identity> | undefined;
  /** Ends the wait for the provider. */
  #giveUp: (reason: Error) => void = () => {};
  #asked = 0;
  /** Number of the refresh that gave the current identity. */
  #answered = 0;
  /** No refresh before this time while the identity is valid. */
  #pauseUntilMs = Number.NEGATIVE_INFINITY;
  /** Whether the service called the identity expired, even if its date says otherwise. */
  #rejected = false;

  constructor(options: {
    readonly source: Source | undefined;
    /** Over which the SDK's chain asks. Default: directly. */
    readonly network?: Network;
    /** Longest wait for the provider. Default 10,000. */
    readonly timeoutMs?: number;
    /** The time as the service sees it. */
    readonly now?: () => number;
  }) {
    this.#timeoutMs = options.timeoutMs ?? PROVIDER_TIMEOUT_MS;
    let { source } = options;
    if (source === undefined) {
      const { network = networkOf({}) } = options;
      this.#handler = sdkHandler({ maxSockets: MOST_SOCKETS, timeoutMs: this.#timeoutMs, network });
      source = defaultProvider({ clientConfig: { requestHandler: this.#handler } });
    }
    const provider = source;
    this.#provide = typeof provider === 'function' ? provider : async () => provider;
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

  /** Ends every wait for the provider. */
  close(): void {
    this.#giveUp(new Error('the producer was closed'));
    this.#handler?.destroy();
  }

  /**
   * Call when the service answered ExpiredTokenException to `identity`: forces one refresh, unless the
   * identity has been replaced since.
   */
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

  /**
   * Asks the provider. Its answer becomes the identity even if no caller waits any more, unless a later
   * question was answered before.
   */
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
    // If more than the whole pause is left, the clock was set back.
    return leftMs > 0 && leftMs <= REFRESH_PAUSE_MS;
  }

  #pause(): void {
    this.#pauseUntilMs = this.#now() + REFRESH_PAUSE_MS;
  }
}
