/** Of records that arrived in the window. `read` = `copied` + `alreadyThere` when a drain is done. */
export interface DrainCounts {
  read: number;
  /** Acknowledged by the target. */
  copied: number;
  /** Found in the target when the outcome of an earlier write was not known; not copied again. */
  alreadyThere: number;
  /** Bytes of data read. */
  bytes: number;
  /** With an envelope of their own; copied untouched. */
  enveloped: number;
  /** Without one. */
  bare: number;
  /** Looking like an envelope, but not readable as one; copied untouched, as bare records are. */
  damaged: number;
}

export const noCounts: Readonly<DrainCounts> = {
  read: 0,
  copied: 0,
  alreadyThere: 0,
  bytes: 0,
  enveloped: 0,
  bare: 0,
  damaged: 0,
};

export function sumOf(all: Iterable<Readonly<DrainCounts>>): DrainCounts {
  const sum: DrainCounts = { ...noCounts };
  for (const one of all) for (const key of Object.keys(sum) as (keyof DrainCounts)[]) sum[key] += one[key];
  return sum;
}
