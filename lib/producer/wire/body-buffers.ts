const LEAST_BYTES = 64 * 1024;
/** Larger ones go to the collector, so that a burst of large records does not stay in memory. */
const KEPT_BYTES = 1024 * 1024;

/**
 * Buffers of request bodies, used again: fresh ones of this size are fresh pages, which the kernel clears at each use
 * (measured: 8 % of the CPU time of a request of 500 records). At most `keep` of up to 1 MiB wait here.
 */
export class BodyBuffers {
  readonly #keep: number;
  readonly #free: Buffer[] = [];

  constructor({ keep }: { readonly keep: number }) {
    this.#keep = keep;
  }

  /** A buffer of at least `length` bytes. What is in it is old. */
  take(length: number): Buffer {
    const free = this.#free.pop();
    if (free !== undefined && free.length >= length) return free;
    let capacity = LEAST_BYTES;
    while (capacity < length) capacity *= 2;
    return Buffer.allocUnsafeSlow(capacity);
  }

  /**
   * Only when the service has answered for every record: it has read the body to its end then, and no socket holds it.
   * After any other end a socket may still be sending.
   */
  give(buffer: Buffer): void {
    if (this.#free.length < this.#keep && buffer.length <= KEPT_BYTES) this.#free.push(buffer);
  }
}
