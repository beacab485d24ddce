import type { TargetName } from './targets.ts';

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  readonly target: TargetName;
  /** Directory of the spool; must be empty. */
  readonly directory: string;
  readonly onProgress?: (line: string) => void;
}

export interface CrashResult {
  readonly kills: number;
  /** Acknowledgements that reached the parent. */
  readonly acknowledged: number;
  /** Acknowledgements that came from the disk. */
  readonly spooled: number;
  readonly found: number;
  readonly lost: number;
  readonly reordered: number;
  readonly duplicates: number;
  /** Records in aggregates that the KCL drops, because the stream was split: they count as found where they are written again. */
  readonly droppedByKcl: number;
  /** Splits and merges. */
  readonly reshards: number;
  /** Kinesis records with more than one record in them. */
  readonly aggregates: number;
  /** Records read from the spool at the end. */
  readonly inSpool: number;
  readonly tornBytes: number;
  readonly quarantinedRanges: number;
}
