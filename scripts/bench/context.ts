/** What every benchmark is given. */
export interface BenchContext {
  /** Shows a line of progress; the result goes to stdout. */
  readonly progress: (line: string) => void;
  /** True: fewer and shorter rounds, only to see that the benchmark runs; the numbers mean nothing. */
  readonly quick: boolean;
}
