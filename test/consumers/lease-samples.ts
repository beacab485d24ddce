import fc from 'fast-check';
import { type Lease, type LeaseItem, leaseSentinels } from '../../lib/consumers/lease-item.ts';

const digits = (max: number) => fc.bigInt({ min: 1n, max: 10n ** BigInt(max) - 1n }).map(String);
export const shardId = fc
  .nat({ max: 999_999 })
  .map((number) => `shardId-${String(number).padStart(12, '0')}`);
const checkpoint = fc.oneof(
  fc
    .record({ sequenceNumber: digits(56), subSequenceNumber: fc.nat({ max: 10_000 }) })
    .map((at) => ({ kind: 'record' as const, ...at })),
  fc.constantFrom(...leaseSentinels).map((kind) => ({ kind })),
);
const stream = fc
  .record({
    account: fc.stringMatching(/^\d{12}$/),
    name: fc.stringMatching(/^[a-zA-Z0-9_.-]{1,40}$/),
    creationEpoch: fc.integer({ min: 1, max: 2_000_000_000 }),
  })
  .map(({ account, name, creationEpoch }) => ({ name, account, creationEpoch }));
const worker = fc.stringMatching(/^[a-z0-9.:-]{1,30}$/);
const shards = fc.uniqueArray(shardId, { maxLength: 2 }).map((ids) => ids.toSorted());

/** Any lease that an application may have. */
export const anyLease: fc.Arbitrary<Lease> = fc
  .record(
    {
      shardId,
      stream,
      checkpoint,
      pending: checkpoint,
      owner: worker,
      checkpointOwner: worker,
      counter: fc.maxSafeNat(),
      ownerSwitches: fc.nat({ max: 1_000 }),
      parents: shards,
      children: shards,
      hashKeys: fc
        .tuple(fc.bigInt({ min: 0n, max: 10n ** 37n }), fc.bigInt({ min: 1n, max: 10n ** 37n }))
        .map(([from, more]) => ({ from: String(from), to: String(from + more) })),
      throughputKBps: fc.double({ min: 0, max: 2_048, noNaN: true, noDefaultInfinity: true }),
    },
    { requiredKeys: ['shardId', 'checkpoint', 'counter', 'ownerSwitches', 'parents', 'children'] },
  )
  .map((lease) => ({
    ...lease,
    leaseKey: lease.stream === undefined ? lease.shardId : `${identifierOf(lease.stream)}:${lease.shardId}`,
  }));

export const identifierOf = ({ account, name, creationEpoch }: NonNullable<Lease['stream']>): string =>
  `${account}:${name}:${creationEpoch}`;

/** The item of a lease as KCL 1 and 2 write it: without what later ones added. */
export function itemOf(lease: Lease): LeaseItem {
  const { checkpoint: at, pending, parents, stream: of } = lease;
  return {
    leaseKey: { S: lease.leaseKey },
    leaseCounter: { N: String(lease.counter) },
    ownerSwitchesSinceCheckpoint: { N: String(lease.ownerSwitches) },
    checkpoint: { S: at.kind === 'record' ? at.sequenceNumber : at.kind },
    checkpointSubSequenceNumber: { N: at.kind === 'record' ? String(at.subSequenceNumber) : '0' },
    ...(lease.owner !== undefined && { leaseOwner: { S: lease.owner } }),
    ...(parents.length > 0 && { parentShardId: { SS: [...parents] } }),
    ...(pending !== undefined && {
      pendingCheckpoint: { S: pending.kind === 'record' ? pending.sequenceNumber : pending.kind },
      pendingCheckpointSubSequenceNumber: {
        N: pending.kind === 'record' ? String(pending.subSequenceNumber) : '0',
      },
    }),
    ...(of !== undefined && { streamName: { S: identifierOf(of) }, shardId: { S: lease.shardId } }),
  };
}
