import type { ConsumerKind, SpecialRecord } from './consumers.ts';
import type { Role } from './role.ts';
import type { ProbeMode } from './watched-cells.ts';

// What is known of consumers. A fact that is absent is not known, and no reason for a finding.

export type StartPosition = 'LATEST' | 'TRIM_HORIZON' | 'AT_TIMESTAMP';

/** What a mapping does with a batch. Both regions should do the same. */
export interface MappingSettings {
  readonly batchSize?: number;
  readonly batchingWindowSeconds?: number;
  readonly parallelizationFactor?: number;
  readonly tumblingWindowSeconds?: number;
  /** -1: until the record expires. */
  readonly retries?: number;
  /** -1: of any age. */
  readonly maximumAgeSeconds?: number;
  readonly bisects?: boolean;
  readonly reportsItemFailures?: boolean;
  readonly hasFailureDestination?: boolean;
  readonly filters?: readonly string[];
}

export interface MappingFacts {
  readonly uuid: string;
  /** ARN of what it reads: a stream, or a registered consumer of one. */
  readonly source: string;
  /** The function as the mapping names it, with its alias or version. */
  readonly function: string;
  readonly state: 'enabled' | 'disabled' | 'changing' | 'deleting';
  /** The state as Lambda calls it. */
  readonly stateName: string;
  readonly start?: StartPosition;
  readonly startAtMs?: number;
  /** Whether it has read a record; then it has a checkpoint, and its start no longer counts. */
  readonly hasRead: boolean;
  /** What Lambda says went wrong with the last batch. */
  readonly problem?: string;
  readonly settings: MappingSettings;
}

interface CommonFacts {
  /** How old what it read last was; null: there is no data of the last minutes, as of a stream without records. */
  readonly lagMs?: number | null;
}

export interface LambdaFacts extends CommonFacts {
  readonly kind: 'lambda';
  readonly function?: {
    readonly exists: boolean;
    /** `Active`, `Inactive`, `Pending` or `Failed`. */
    readonly state?: string;
    /** Absent: none is reserved. */
    readonly reservedConcurrency?: number;
  };
  /** Its mappings on the cell's stream. */
  readonly mappings?: readonly MappingFacts[];
  /** Streams that it reads and that no cell has for it. */
  readonly elsewhere?: readonly string[];
}

export interface LeaseFacts {
  /** Leases of shards of the stream that are not read to their end. */
  readonly open: number;
  /** Leases of other streams, where the table names streams. */
  readonly otherStreams: readonly string[];
  /** Leases that name a worker. One that died still stands there. */
  readonly owned: number;
  /** Leases that a worker holds: it has renewed them while we looked. Absent: we did not look twice. */
  readonly renewed?: number;
  /**
   * Whether we looked for longer than a renewal takes with any usual `failoverTimeMillis`. Without it, a lease that has an
   * owner and is not renewed says nothing.
   */
  readonly watchedLong?: boolean;
  /** Leases whose checkpoint is none of this stream: it was deleted and created again, or is another one. */
  readonly strange: number;
  /** Leases that begin with the oldest record. */
  readonly atTrimHorizon: number;
  /** Leases behind whose checkpoint records wait. Absent: not looked at. */
  readonly behind?: number;
  /** By how much the one that is farthest behind is so. */
  readonly behindMs?: number;
  /** Keys of leases whose checkpoint is old, or none of this stream. */
  readonly staleKeys?: readonly string[];
  /** Leases that are renewed, and whose checkpoint is still LATEST: a restart begins at the latest record again. */
  readonly atLatest?: number;
  /** Leases that are renewed, were never checkpointed, and have records of the last hour in their shards for over a minute. */
  readonly unread?: number;
}

export interface KclFacts extends CommonFacts {
  readonly kind: 'kcl';
  readonly table?: 'there' | 'missing' | 'foreign';
  /** Why it is no lease table. */
  readonly foreign?: string;
  readonly leases?: LeaseFacts;
}

export interface FanOutFacts extends CommonFacts {
  readonly kind: 'enhancedFanOut';
  /** As Kinesis calls it, `ACTIVE` for one; null: there is none of this name. */
  readonly status?: string | null;
}

export interface FirehoseFacts extends CommonFacts {
  readonly kind: 'firehose';
  /** As Firehose calls it; null: there is none of this name. */
  readonly status?: string | null;
  /** ARN of the stream that it reads; null: it reads none. */
  readonly source?: string | null;
  readonly problem?: string;
  readonly startedAtMs?: number;
}

export interface OtherFacts extends CommonFacts {
  readonly kind: 'other';
  /** Absent: not known, or no alarm is named. */
  readonly alarm?: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA' | 'missing';
}

export type ConsumerFacts = LambdaFacts | KclFacts | FanOutFacts | FirehoseFacts | OtherFacts;

/** What a region's stream of a cell has in it now. */
export interface StoredRecords {
  readonly records: number;
  /** False: there are more. */
  readonly complete: boolean;
  readonly oldestAtMs?: number;
}

export interface StreamOfCell {
  readonly name: string;
  readonly region: string;
  /** Absent while the account is not known. */
  readonly arn?: string;
  readonly exists?: boolean;
  readonly retentionHours?: number;
  /** Read where a consumer would begin with the oldest record. */
  readonly stored?: StoredRecords;
  /** Whether somebody has asked for its records lately, whoever it is. */
  readonly isPolled?: boolean;
}

export interface ConsumerOfCell {
  readonly kind: ConsumerKind;
  /** Null: it was found in the other region, and there is none like it here. */
  readonly name: Readonly<Record<Role, string | null>>;
  readonly alarm?: Readonly<Record<Role, string>>;
  /** Absent: it was found, and nobody has said what it can read. */
  readonly takes?: readonly SpecialRecord[];
  readonly facts: Readonly<Record<Role, ConsumerFacts | undefined>>;
}

export interface ConsumersOfCell {
  readonly cell: string;
  /** Whether the config names the consumers, be it that there are none. */
  readonly declared: boolean;
  /** Whether everything that can be found has been looked for, in each region. */
  readonly searched: Readonly<Record<Role, boolean>>;
  readonly probe: ProbeMode;
  /** Whether aggregates were seen among the records of the primary's stream. */
  readonly carriesAggregates?: boolean;
  readonly streams: Readonly<Record<Role, StreamOfCell>>;
  readonly consumers: readonly ConsumerOfCell[];
}

/** A question that was not answered, once for each service of a region. */
export interface Obstacle {
  readonly region: string;
  /** For people: `Lambda`. */
  readonly service: string;
  readonly kind: 'denied' | 'unreadable';
  /** IAM's name of each action that was asked for in vain. */
  readonly actions: readonly string[];
  readonly problem: string;
}
