/** What every benchmark is given. */
export interface BenchContext {
  /** A line for whoever watches; the result goes to stdout. */
  readonly progress: (line: string) => void;
  /** Rounds and seconds are cut to see that it runs; its numbers mean nothing. */
  readonly quick: boolean;
}
