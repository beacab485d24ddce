/** The place right after a record. Positions of one spool are totally ordered, also across restarts. */
export interface SpoolPosition {
  /** Number of the segment, from 1. */
  readonly segment: number;
  /** Bytes from the start of the segment's file. */
  readonly offset: number;
  /** Intact records of the segment up to here. */
  readonly index: number;
}

/** Negative when `a` comes before `b`, 0 when they are the same place. */
export function comparePositions(
  a: Pick<SpoolPosition, 'segment' | 'offset'>,
  b: Pick<SpoolPosition, 'segment' | 'offset'>,
): number {
  return a.segment - b.segment || a.offset - b.offset;
}
