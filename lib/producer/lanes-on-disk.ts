/** How many records of each lane the disk has, or is about to have. A lane of which it has none may go past the disk. */
export class LanesOnDisk {
  readonly #counts: Int32Array;
  #records = 0;

  constructor(lanes: number) {
    this.#counts = new Int32Array(lanes);
  }

  get records(): number {
    return this.#records;
  }

  of(lane: number): number {
    return this.#counts[lane] as number;
  }

  add(lane: number): void {
    this.#counts[lane] = this.of(lane) + 1;
    this.#records++;
  }

  remove(lane: number): void {
    this.#counts[lane] = this.of(lane) - 1;
    this.#records--;
  }
}
