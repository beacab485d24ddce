import { type FuzzResult, fuzzOne } from './fuzz.ts';
import type { Seeded, Task } from './pool.ts';
import type { TraceEvent } from './types.ts';

/** One random scenario, as a job of the pool. */
export const fuzzTask = {
  module: import.meta.url,
  name: 'runFuzzJob',
  run: runFuzzJob,
} satisfies Task<null, Seeded, FuzzResult>;

export function runFuzzJob(_shared: null, { seed }: Seeded, trace?: (line: TraceEvent) => void): FuzzResult {
  return fuzzOne(seed, undefined, trace);
}
