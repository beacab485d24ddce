/** Neighbouring records of a segment that Kinesis has acknowledged; file offsets, `end` excluded. */
export interface AcknowledgedRange {
  readonly start: number;
  readonly end: number;
  readonly records: number;
}

/**
 * The acknowledged ranges of one segment beyond the cursor, which waits for an older record of a slower key.
 * Ranges are in order, and touching ranges are merged. Most acknowledgements touch the last range or the
 * first, and cost the same however many ranges there are.
 */
export class AcknowledgedRanges {
  #ranges: AcknowledgedRange[] = [];
  /** Ranges before this one have been passed by the cursor; they are cut off now and then. */
  #first = 0;
  #records = 0;
  #bytes = 0;

  get records(): number {
    return this.#records;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get size(): number {
    return this.#ranges.length - this.#first;
  }

  /** Adds a range, which must not overlap one that is here. */
  add(range: AcknowledgedRange): void {
    const at = this.#indexAfter(range.start);
    const before = this.#ranges[at - 1];
    const after = this.#ranges[at];
    const joinsBefore = at > this.#first && before?.end === range.start;
    const joinsAfter = after?.start === range.end;
    const merged = {
      start: joinsBefore ? before.start : range.start,
      end: joinsAfter ? after.end : range.end,
      records: range.records + (joinsBefore ? before.records : 0) + (joinsAfter ? after.records : 0),
    };
    this.#ranges.splice(at - (joinsBefore ? 1 : 0), (joinsBefore ? 1 : 0) + (joinsAfter ? 1 : 0), merged);
    this.#records += range.records;
    this.#bytes += range.end - range.start;
  }

  /** The range that holds this offset. */
  at(offset: number): AcknowledgedRange | undefined {
    const range = this.#ranges[this.#indexAfter(offset) - 1];
    return range !== undefined && offset < range.end ? range : undefined;
  }

  /** Forgets what lies before this offset, because the cursor has passed it. */
  passed(offset: number): void {
    for (let range = this.#ranges[this.#first]; range !== undefined && range.end <= offset; ) {
      this.#records -= range.records;
      this.#bytes -= range.end - range.start;
      range = this.#ranges[++this.#first];
    }
    if (this.#first < 1_024 && this.#first < this.#ranges.length) return;
    this.#ranges = this.#ranges.slice(this.#first);
    this.#first = 0;
  }

  *[Symbol.iterator](): Generator<AcknowledgedRange> {
    for (let n = this.#first; n < this.#ranges.length; n++) yield this.#ranges[n] as AcknowledgedRange;
  }

  /** The index for a range that starts right after this offset. */
  #indexAfter(offset: number): number {
    let low = this.#first;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as AcknowledgedRange).start <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
