import type { Role } from './role.ts';

/** What a kind of consumer is by itself, whatever its owner does with the records. */
interface ConsumerKindFacts {
  /** For people. */
  readonly label: string;
  /** What its name in the config is the name of. */
  readonly named: string;
  /** Whether it takes the KPL's aggregates apart by itself. */
  readonly takesAggregates: boolean;
  /** What its checkpoint is, and to whom it belongs. */
  readonly checkpoint: string;
}

/** Everything that reads a stream, as a cell's config names it. */
export const consumerKinds = {
  lambda: {
    label: 'Lambda function',
    named: 'function',
    takesAggregates: false,
    checkpoint: 'in the event source mapping, for as long as the mapping exists',
  },
  kcl: {
    label: 'KCL application',
    named: 'lease table',
    takesAggregates: true,
    checkpoint: 'in the lease table, one for each shard',
  },
  enhancedFanOut: {
    label: 'enhanced fan-out consumer',
    named: 'registered consumer',
    takesAggregates: false,
    checkpoint: 'wherever the application keeps it',
  },
  firehose: {
    label: 'Firehose stream',
    named: 'Firehose stream',
    takesAggregates: true,
    checkpoint: 'in Firehose, out of sight',
  },
  other: {
    label: 'consumer',
    named: 'consumer',
    takesAggregates: false,
    checkpoint: 'not known to Spillway',
  },
} as const satisfies Readonly<Record<string, ConsumerKindFacts>>;

export type ConsumerKind = keyof typeof consumerKinds;
export const consumerKindNames = Object.keys(consumerKinds) as readonly ConsumerKind[];

/** Records that not every consumer can read. */
export const specialRecords = ['aggregates', 'probes'] as const;
export type SpecialRecord = (typeof specialRecords)[number];

/** A consumer of a cell, as the config has it. */
export interface ConsumerSpec {
  readonly kind: ConsumerKind;
  /** Name, by region, of what its kind says: a function, a lease table, a registered consumer, a Firehose stream. */
  readonly name: Readonly<Record<Role, string>>;
  /** An alarm in each region that is in ALARM while the consumer does not work. Of kind `other` alone. */
  readonly alarm?: Readonly<Record<Role, string>>;
  /** Which records that are not the user's own, one by one, it can read. */
  readonly takes: readonly SpecialRecord[];
}
