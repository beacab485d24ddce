/** A problem that recovery or a reader found and continued from. `message` is for people. */
export interface SpoolProblem {
  readonly kind:
    | 'tornTail'
    | 'quarantined'
    | 'quarantineFailed'
    | 'cursorLost'
    | 'tailNotCut'
    | 'segmentNotDeleted'
    | 'cursorNotWritten'
    /** Kinesis refused a record for good: it is in a file of `refused/`, and the others go on. */
    | 'recordRefused';
  readonly message: string;
  /** Bytes cut off or skipped. */
  readonly bytes?: number;
  readonly segment?: number;
  readonly cause?: unknown;
}

export type OnProblem = (problem: SpoolProblem) => void;
