import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';
import { ID_BYTES } from './layout.ts';

const POOL_BYTES = 16 * 1024;

/**
 * UUIDv7 record ids: unique, and in the order of the calls. The `uuid` package alone asks the system for
 * randomness for each id, which costs microseconds; here it is drawn for a thousand ids at once.
 */
export class RecordIds {
  readonly #now: () => number;
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;
  #msecs = 0;
  #sequence = 0;

  /** @param now Milliseconds since 1970. Default Date.now. When it steps back, ids go on from the latest time seen. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** 16 bytes, for WrapInput. */
  next(): Uint8Array {
    if (this.#used === POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const random = this.#pool.subarray(this.#used, this.#used + ID_BYTES);
    this.#used += ID_BYTES;
    const now = this.#now();
    if (now > this.#msecs) {
      this.#msecs = now;
      // RFC 9562, 6.2: a counter that starts with its highest bit clear has room before it overflows.
      this.#sequence = random.readUInt32BE(0) >>> 1;
    } else {
      this.#sequence = (this.#sequence + 1) | 0;
      if (this.#sequence === 0) this.#msecs++;
    }
    return v7({ random, msecs: this.#msecs, seq: this.#sequence }, new Uint8Array(ID_BYTES));
  }
}
