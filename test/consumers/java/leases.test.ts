import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LeaseCheckpoint, type LeaseItem, parseLeaseItem } from '../../../lib/consumers/lease-item.ts';
import { type JavaPrograms, javaPrograms } from '../../../lib/local/clients/java.ts';
import { ask, INSTALL_TIMEOUT_MS } from '../../aggregate/java/java-judge.ts';
import { anyLease, identifierOf } from '../lease-samples.ts';

const TIMEOUT_MS = 90_000;
let programs: JavaPrograms;
beforeAll(async () => {
  programs = await javaPrograms({ sources: [import.meta.dirname] });
}, INSTALL_TIMEOUT_MS);

const asked = (at: LeaseCheckpoint) =>
  at.kind === 'record' ? { at: at.sequenceNumber, sub: at.subSequenceNumber } : { at: at.kind, sub: 0 };

describe('the serializers of KCL 3', () => {
  it('write leases that are read as they are, of one stream and of several', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const leases = fc.sample(anyLease, { numRuns: 300, seed: 20_261_130 });
    const questions = leases.map((lease) => ({
      ...lease,
      stream: lease.stream && identifierOf(lease.stream),
      switches: lease.ownerSwitches,
      checkpoint: asked(lease.checkpoint),
      pending: lease.pending && asked(lease.pending),
      throughput: lease.throughputKBps,
    }));
    const answers = await ask({ programs, main: 'LeaseWriter' }, questions);
    const items = answers.map((answer) => (answer as { readonly item: LeaseItem }).item);
    expect(items.map(parseLeaseItem)).toEqual(leases);
    // KCL 3 writes more than is read of it.
    expect(items[0]).toHaveProperty('entityType', { S: 'LEASE' });
  });
});
