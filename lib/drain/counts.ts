/**
 * Counts of the records that arrived in the window, those in an aggregate one by one. `read` = `copied` + `alreadyThere` + `probes` when a drain is done.
 */
export interface DrainCounts {
  read: number;
  /** Records acknowledged by the target. */
  copied: number;
  /** Records found in the target when the outcome of an earlier write was unknown; not copied again. */
  alreadyThere: number;
  /** Bytes of data read. */
  bytes: number;
  /** Records with an envelope of their own; copied unchanged. */
  enveloped: number;
  /** Records without an envelope. */
  bare: number;
  /** Records that look like an envelope or an aggregate, but cannot be read as one; copied unchanged, like bare records. */
  damaged: number;
  /** Marked records of Spillway's observers; left out. */
  probes: number;
  /** Records of Kinesis that were taken apart. */
  aggregates: number;
}

export const noCounts: Readonly<DrainCounts> = {
  read: 0,
  copied: 0,
  alreadyThere: 0,
  bytes: 0,
  enveloped: 0,
  bare: 0,
  damaged: 0,
  probes: 0,
  aggregates: 0,
};

export function sumOf(all: Iterable<Readonly<DrainCounts>>): DrainCounts {
  const sum: DrainCounts = { ...noCounts };
  for (const one of all) for (const key of Object.keys(sum) as (keyof DrainCounts)[]) sum[key] += one[key];
  return sum;
}
