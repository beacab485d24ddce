/** How many records of each lane the disk has, or is about to have. A lane of which it has none may go past the disk. */
export class LanesOnDisk {
  readonly #counts: Int32Array;
  readonly #unread: Int32Array;
  #records = 0;

  constructor(lanes: number) {
    this.#counts = new Int32Array(lanes);
    this.#unread = new Int32Array(lanes);
  }

  get records(): number {
    return this.#records;
  }

  of(lane: number): number {
    return this.#counts[lane] as number;
  }

  /** Of these, how many are on the disk alone: neither in memory nor delivered. */
  unreadOf(lane: number): number {
    return this.#unread[lane] as number;
  }

  /** A record that is in memory as well. */
  addRead(lane: number): void {
    this.#counts[lane] = this.of(lane) + 1;
    this.#records++;
  }

  add(lane: number): void {
    this.addRead(lane);
    this.#unread[lane] = this.unreadOf(lane) + 1;
  }

  /** One that was on the disk alone is in memory. */
  read(lane: number): void {
    this.#unread[lane] = this.unreadOf(lane) - 1;
  }

  /** One that was in memory as well is gone. */
  remove(lane: number): void {
    this.#counts[lane] = this.of(lane) - 1;
    this.#records--;
  }
}
