import type { Mode } from './policy.ts';

/** Whether observers may put marked records into a cell's own streams: in every round, when something is suspected, or never. */
export const probeModes = ['always', 'onSuspicion', 'never'] as const;
export type ProbeMode = (typeof probeModes)[number];

/** A cell as an observer knows it. */
export interface WatchedCell {
  readonly cell: string;
  /** The switch that moves it. */
  readonly group: string;
  readonly probe: ProbeMode;
  /** How autonomous moves of this cell alone are, at most. Absent: as the policy and the control item say. */
  readonly mode?: Mode | undefined;
}

/**
 * Cells that stand for the region, at most. Of more cells, a fair sample: the cells that are suspected would be a
 * sample of the worst.
 */
export const SAMPLE_CELLS = 24;

const samples = new WeakMap<readonly WatchedCell[], readonly WatchedCell[]>();

/** The cells whose streams together say how the region's streams are: all that may be probed, or a fair sample of them. */
export function sampleOf(cells: readonly WatchedCell[]): readonly WatchedCell[] {
  const known = samples.get(cells);
  if (known !== undefined) return known;
  const probed = cells.filter(({ probe }) => probe !== 'never');
  const sample =
    probed.length <= SAMPLE_CELLS
      ? probed
      : probed.toSorted((a, b) => orderOf(a.cell) - orderOf(b.cell)).slice(0, SAMPLE_CELLS);
  samples.set(cells, sample);
  return sample;
}

/**
 * FNV-1a of 32 bits (Fowler, Noll, Vo), mixed by the last steps of MurmurHash3, because names often differ in their last
 * characters alone: an order that has nothing to do with what the names mean.
 */
function orderOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < name.length; n++) hash = Math.imul(hash ^ name.charCodeAt(n), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
