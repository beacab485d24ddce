import type { ConsumerSpec } from '../../lambda/core/consumers.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { StreamPlace } from '../drain/plan.ts';
import type { ShardCount } from './count-shard.ts';
import type { DrainedMark, StrandedCell, StrandedFinding } from './document.ts';

/** A cell whose old stream is counted. */
export interface CellQuestion {
  readonly cell: string;
  readonly place: StreamPlace;
  readonly role: Role;
  /** Absent: the config does not say who reads. None: nobody does. */
  readonly consumers?: readonly ConsumerSpec[];
  /** Those of its consumers that the config has on other streams of the region as well. */
  readonly shared: readonly string[];
  /** Whether traffic was moved away from this stream; null: not known. */
  readonly moved: boolean | null;
  /** Traffic had not left the stream before this. */
  readonly movedAtMs?: number;
  readonly drained: DrainedMark | null;
}

export interface Look {
  readonly cell: StrandedCell;
  readonly findings: readonly StrandedFinding[];
  /** False: not all of what is stranded is known. */
  readonly known: boolean;
}

/** A count, or why there is none. */
export type ShardResult = ShardCount & { readonly problem?: unknown };
