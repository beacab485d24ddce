interface Host {
  readonly perSecond: number;
  /** Requests of about the last second, each weighed less the older it is. */
  lately: number;
  atMs: number;
}

const MEMORY_MS = 1_000;

/**
 * Lets through so many requests a second for each host, as Lambda does for a function that reserves concurrency:
 * the emulation of what LocalStack does not do. What is too much is refused by lot, so that everybody gets the same
 * share: a bucket of tokens would favour whoever asks at the right moment of a flood that comes in batches.
 */
export class RequestGate {
  readonly #hosts = new Map<string, Host>();
  readonly #nowMs: () => number;
  readonly #random: () => number;

  constructor(options: { readonly nowMs: () => number; readonly random: () => number }) {
    this.#nowMs = options.nowMs;
    this.#random = options.random;
  }

  /** Undefined: no limit any more. */
  limit(host: string, perSecond: number | undefined): void {
    if (perSecond === undefined) this.#hosts.delete(host);
    else this.#hosts.set(host, { perSecond, lately: 0, atMs: this.#nowMs() });
  }

  admits(name: string): boolean {
    const host = this.#hosts.get(name);
    if (host === undefined) return true;
    const nowMs = this.#nowMs();
    host.lately = host.lately * Math.exp((host.atMs - nowMs) / MEMORY_MS) + 1;
    host.atMs = nowMs;
    const perSecond = host.lately * (1_000 / MEMORY_MS);
    return perSecond <= host.perSecond || this.#random() < host.perSecond / perSecond;
  }
}
