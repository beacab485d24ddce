/** Twenty nines: Kinesis' own numbers have 56 digits and begin with 49 [inferred from those seen]. */
const PREFIX = '9'.repeat(20);
const MS_DIGITS = 15;
const COUNT_DIGITS = 25;

/** Whether a sequence number was made here, for a record that was not in a stream yet when it was answered. */
export const isSynthetic = (sequenceNumber: string): boolean =>
  sequenceNumber.length === PREFIX.length + MS_DIGITS + COUNT_DIGITS && sequenceNumber.startsWith(PREFIX);

/**
 * Sequence numbers for records that are on this machine's disk: each is greater than all before it, also those of an earlier
 * process of this machine, and greater than all of Kinesis' own, as it has 60 digits.
 */
export class SyntheticNumbers {
  readonly #nowMs: () => number;
  #lastMs = 0;
  #count = 0;
  #head = '';

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  next(): string {
    const nowMs = Math.floor(this.#nowMs());
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#count = 0;
      this.#head = PREFIX + String(nowMs).padStart(MS_DIGITS, '0');
    }
    return this.#head + String(this.#count++).padStart(COUNT_DIGITS, '0');
  }
}
