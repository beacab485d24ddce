import dns from 'node:dns';
import { HostLookupError } from './errors.ts';

export interface SystemLookupOptions {
  readonly timeoutMs: number;
  /** What tests put in place of `dns.promises.lookup`. */
  readonly lookup?: (
    host: string,
    options: { readonly all: true },
  ) => Promise<readonly { address: string }[]>;
}

/** Callers that may wait for their turn. */
const MOST_WAITING = 64;

/**
 * The system's own lookup (getaddrinfo), of one host at a time: each takes a thread of the pool, which has four by default, and
 * one that hangs must leave the others to the disk.
 */
export class SystemLookup {
  readonly #timeoutMs: number;
  readonly #lookup: NonNullable<SystemLookupOptions['lookup']>;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor({ timeoutMs, lookup }: SystemLookupOptions) {
    this.#timeoutMs = timeoutMs;
    this.#lookup = lookup ?? ((host, options) => dns.promises.lookup(host, options));
  }

  /** @throws HostLookupError */
  async addressesOf(host: string): Promise<readonly string[]> {
    if (this.#waiting >= MOST_WAITING) throw again(host, `${MOST_WAITING} hosts are looked up already`);
    this.#waiting++;
    let isLate = false;
    const found = this.#last
      .then(() => (isLate ? [] : this.#lookup(host, { all: true })))
      .finally(() => this.#waiting--);
    this.#last = found.catch(() => {});
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      isLate = true;
      late.reject(again(host, `the system did not answer within ${this.#timeoutMs} ms`));
    }, this.#timeoutMs);
    try {
      return (await Promise.race([found, late.promise])).map(({ address }) => address);
    } catch (error) {
      if (error instanceof HostLookupError) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      throw new HostLookupError(host, { code: code === 'ENOTFOUND' ? code : 'EAI_AGAIN', why: message });
    } finally {
      clearTimeout(timer);
    }
  }
}

const again = (host: string, why: string): HostLookupError =>
  new HostLookupError(host, { code: 'EAI_AGAIN', why });
