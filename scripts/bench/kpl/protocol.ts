/** How a contestant is driven, whatever it is written in: lines of JSON to its stdin, and an answer to each on its stdout. */
export interface Run {
  /** Not counted in the rate: connections and buffers fill. */
  readonly runUpMs: number;
  readonly windowMs: number;
}

export interface Ran {
  /** All that were acknowledged, to the last. */
  readonly records: number;
  readonly inWindow: number;
  readonly windowMs: number;
}

export type Mode = 'aggregated' | 'plain';

/** The same for all contestants. */
export const workload = {
  stream: 'orders',
  region: 'us-east-1',
  recordBytes: 200,
  keys: 10_000,
  connections: 8,
  shards: 4,
} as const;

/** What our contestant is told. */
export interface OursTask {
  readonly url: string;
  readonly ca: string;
  readonly mode: Mode;
}
