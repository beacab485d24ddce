/** Something that recovery or a reader found and went on from. `message` is for people. */
export interface SpoolProblem {
  readonly kind:
    | 'tornTail'
    | 'quarantined'
    | 'quarantineFailed'
    | 'cursorLost'
    | 'tailNotCut'
    | 'segmentNotDeleted'
    | 'cursorNotWritten';
  readonly message: string;
  /** Bytes cut off or skipped. */
  readonly bytes?: number;
  readonly segment?: number;
  readonly cause?: unknown;
}

export type OnProblem = (problem: SpoolProblem) => void;
