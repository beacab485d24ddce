import type { CellFinding } from '../../../lambda/core/cell-findings.ts';
import type { DiagnosisCode } from '../../../lambda/core/diagnosis.ts';
import type { Position } from '../../../lambda/core/switch.ts';
import type { Vote } from '../../../lambda/core/vote.ts';
import type { PaceMinute } from './pace.ts';

/** Everything a drill sees, in the order in which it happened. `atMs` is epoch milliseconds. */
export type DrillEvent =
  | { readonly kind: 'fault'; readonly atMs: number; readonly text: string }
  | {
      readonly kind: 'observer';
      readonly atMs: number;
      readonly region: string;
      readonly diagnosis: DiagnosisCode;
      readonly vote: Vote;
      readonly comment: string;
    }
  /** What an observer says of a cell's own stream; without findings when it says nothing any more. */
  | {
      readonly kind: 'cell';
      readonly atMs: number;
      readonly region: string;
      readonly cell: string;
      readonly finding?: Pick<CellFinding, 'kind' | 'reason'>;
      /** Guards that hold the cell; empty, for a finding that accuses: the observer asks for the move. */
      readonly refusedBy: readonly string[];
    }
  | { readonly kind: 'health'; readonly atMs: number; readonly check: string; readonly healthy: boolean }
  | { readonly kind: 'dns'; readonly atMs: number; readonly cell: string; readonly region: string }
  | {
      readonly kind: 'switch';
      readonly atMs: number;
      readonly group: string;
      readonly position: Position;
      readonly epoch: number;
    }
  | {
      readonly kind: 'puts';
      readonly atMs: number;
      /** Records acknowledged since the last such event, per region. */
      readonly perRegion: Readonly<Record<string, number>>;
      /** Records offered and not acknowledged yet. */
      readonly pending: number;
    }
  | { readonly kind: 'pace'; readonly atMs: number; readonly minute: PaceMinute }
  | { readonly kind: 'note'; readonly atMs: number; readonly text: string };

/** Stands for the region when a record is acknowledged from the disk. */
export const SPOOLED = 'spool';

/** One record that a producer has been given a receipt for. */
export interface Acknowledgement {
  readonly id: string;
  readonly producer: string;
  readonly region: string;
  /** When the application put the record. */
  readonly putAtMs: number;
  /** When the receipt came. */
  readonly atMs: number;
}
