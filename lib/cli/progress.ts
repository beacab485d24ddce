const SILENT_MS = 2_000;
const TERMINAL_EVERY_MS = 1_000;
const LOG_EVERY_MS = 5_000;

export interface ProgressOptions {
  readonly total: number;
  /** What is counted: `runs`. */
  readonly unit: string;
  readonly stream?: NodeJS.WriteStream;
  readonly now?: () => number;
}

/**
 * Shows on standard error how far a long command is: nothing for two seconds, then a line that is redrawn, or
 * a line now and then.
 */
export class Progress {
  readonly #options: Required<ProgressOptions>;
  readonly #beganMs: number;
  #done = 0;
  #saidMs = Number.NEGATIVE_INFINITY;
  #width = 0;

  constructor(options: ProgressOptions) {
    this.#options = { stream: process.stderr, now: Date.now, ...options };
    this.#beganMs = this.#options.now();
  }

  get seconds(): number {
    return (this.#options.now() - this.#beganMs) / 1_000;
  }

  add(count: number): void {
    this.#done += count;
    const { stream, now } = this.#options;
    const nowMs = now();
    const everyMs = stream.isTTY ? TERMINAL_EVERY_MS : LOG_EVERY_MS;
    if (nowMs - this.#beganMs < SILENT_MS || nowMs - this.#saidMs < everyMs) return;
    this.#saidMs = nowMs;
    this.#say();
  }

  /** Removes the redrawn line. Call this before anything else is written. */
  clear(): void {
    if (this.#width > 0) this.#options.stream.write(`\r${' '.repeat(this.#width)}\r`);
    this.#width = 0;
  }

  #say(): void {
    const { total, unit, stream } = this.#options;
    const leftSeconds = Math.ceil((this.seconds / this.#done) * (total - this.#done));
    const line = `${this.#done} of ${total} ${unit}, ${Math.round(this.seconds)} s gone, about ${leftSeconds} s left`;
    if (!stream.isTTY) return void stream.write(`${line}\n`);
    const padded = line.padEnd(this.#width);
    this.#width = line.length;
    stream.write(`\r${padded}`);
  }
}
