import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';

/**
 * How far an application of the KCL has come in a shard: a record and, in an aggregate, the place of the last inner record
 * that is finished; or a word of the KCL in its place.
 */
export type LeaseCheckpoint =
  | {
      readonly kind: 'record';
      readonly sequenceNumber: string;
      /** Place in the aggregate, from 0; 0 for a record of its own. */
      readonly subSequenceNumber: number;
    }
  | { readonly kind: LeaseSentinel };

/** The KCL's words: nothing was read yet, and where reading begins; or the shard is read to its end. */
export const leaseSentinels = ['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP', 'SHARD_END'] as const;
export type LeaseSentinel = (typeof leaseSentinels)[number];

/** The stream of a lease, where an application reads several. */
export interface LeaseStream {
  readonly name: string;
  readonly account?: string;
  /** Seconds: when the stream was created. Another stream of this name has another one. */
  readonly creationEpoch?: number;
}

/** One lease of the KCL, 1 to 3. */
export interface Lease {
  readonly leaseKey: string;
  readonly shardId: string;
  /** Absent: the application reads one stream, and the table does not say which. */
  readonly stream?: LeaseStream;
  readonly checkpoint: LeaseCheckpoint;
  /** Where a worker was about to checkpoint. */
  readonly pending?: LeaseCheckpoint;
  /** The worker that holds the lease; absent while nobody does. */
  readonly owner?: string;
  /** KCL 3: the worker that finishes its records before another takes over. */
  readonly checkpointOwner?: string;
  /** Counts up each time that the owner renews the lease: one that stands still is not held. */
  readonly counter: number;
  readonly ownerSwitches: number;
  readonly parents: readonly string[];
  readonly children: readonly string[];
  readonly hashKeys?: { readonly from: string; readonly to: string };
  readonly throughputKBps?: number;
}

/** Attributes that are read; what KCL 3 stores for its own use, `pendingCheckpointState`, may be large. */
export const leaseAttributes = [
  'leaseKey',
  'entityType',
  'streamName',
  'shardId',
  'checkpoint',
  'checkpointSubSequenceNumber',
  'pendingCheckpoint',
  'pendingCheckpointSubSequenceNumber',
  'leaseOwner',
  'checkpointOwner',
  'leaseCounter',
  'ownerSwitchesSinceCheckpoint',
  'parentShardId',
  'childShardIds',
  'childShardId',
  'startingHashKey',
  'endingHashKey',
  'throughputKBps',
] as const;

const text = z.object({ S: z.string() }).transform(({ S }) => S);
const whole = z.object({ N: z.string().regex(/^\d{1,19}$/) }).transform(({ N }) => Number(N));
const decimal = z.object({ N: z.string() }).transform(({ N }) => Number(N));
const texts = z.object({ SS: z.array(z.string()) }).transform(({ SS }) => SS.toSorted());

const SEQUENCE_NUMBER = /^\d{1,128}$/;
const MAX_SHARD_ID = 128;
const shardId = z.string().min(1).max(MAX_SHARD_ID);

const itemSchema = z.looseObject({
  leaseKey: text,
  streamName: text.optional(),
  shardId: text.optional(),
  checkpoint: text,
  checkpointSubSequenceNumber: whole.default(0),
  pendingCheckpoint: text.optional(),
  pendingCheckpointSubSequenceNumber: whole.default(0),
  leaseOwner: text.optional(),
  checkpointOwner: text.optional(),
  leaseCounter: whole,
  ownerSwitchesSinceCheckpoint: whole.default(0),
  parentShardId: texts.default([]),
  childShardIds: texts.optional(),
  // The first releases of KCL 2.3.
  childShardId: texts.optional(),
  startingHashKey: text.optional(),
  endingHashKey: text.optional(),
  throughputKBps: decimal.optional(),
});

export type LeaseItem = Readonly<Record<string, AttributeValue>>;

/**
 * One item of a lease table. `other`: KCL 3 keeps its leader, its workers and its state of migration beside the leases.
 * `damaged`: not as any KCL writes a lease.
 */
export function parseLeaseItem(item: LeaseItem): Lease | 'other' | 'damaged' {
  const kind = item.entityType?.S;
  if (kind !== undefined && kind !== 'LEASE') return 'other';
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success) return 'damaged';
  const lease = parsed.data;
  const checkpoint = checkpointOf(lease.checkpoint, lease.checkpointSubSequenceNumber);
  const place = placeOf(lease);
  if (checkpoint === undefined || place === undefined) return 'damaged';
  const pending =
    lease.pendingCheckpoint === undefined
      ? undefined
      : checkpointOf(lease.pendingCheckpoint, lease.pendingCheckpointSubSequenceNumber);
  const { startingHashKey: from, endingHashKey: to } = lease;
  return {
    ...{ leaseKey: lease.leaseKey, ...place, checkpoint },
    ...(pending && { pending }),
    ...(lease.leaseOwner !== undefined && { owner: lease.leaseOwner }),
    ...(lease.checkpointOwner !== undefined && { checkpointOwner: lease.checkpointOwner }),
    counter: lease.leaseCounter,
    ownerSwitches: lease.ownerSwitchesSinceCheckpoint,
    parents: lease.parentShardId,
    children: lease.childShardIds ?? lease.childShardId ?? [],
    ...(from !== undefined && to !== undefined && { hashKeys: { from, to } }),
    ...(lease.throughputKBps !== undefined && { throughputKBps: lease.throughputKBps }),
  };
}

function checkpointOf(value: string, subSequenceNumber: number): LeaseCheckpoint | undefined {
  const sentinel = leaseSentinels.find((one) => one === value);
  if (sentinel !== undefined) return { kind: sentinel };
  return SEQUENCE_NUMBER.test(value)
    ? { kind: 'record', sequenceNumber: value, subSequenceNumber }
    : undefined;
}

/** An application of several streams names both in the key as well: `account:stream:creationEpoch:shardId`. */
function placeOf(lease: {
  readonly leaseKey: string;
  readonly streamName?: string | undefined;
  readonly shardId?: string | undefined;
}): { readonly shardId: string; readonly stream?: LeaseStream } | undefined {
  const cut = lease.leaseKey.lastIndexOf(':');
  const identifier = lease.streamName ?? (cut === -1 ? undefined : lease.leaseKey.slice(0, cut));
  const shard = shardId.safeParse(lease.shardId ?? lease.leaseKey.slice(cut + 1));
  if (!shard.success) return undefined;
  return identifier === undefined
    ? { shardId: shard.data }
    : { shardId: shard.data, stream: streamOf(identifier) };
}

function streamOf(identifier: string): LeaseStream {
  const [, account, name, epoch] = /^(\d{1,32}):([^:]+):(\d{1,15})$/.exec(identifier) ?? [];
  if (account === undefined || name === undefined) return { name: identifier };
  return { name, account, creationEpoch: Number(epoch) };
}
