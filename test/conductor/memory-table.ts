import type { Conductor } from '../../lambda/conductor/conductor.ts';
import type { EpochClaim } from '../../lambda/core/epoch.ts';
import type { CellCapacity } from '../../lambda/core/fitness.ts';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import type { Lease } from '../../lambda/core/lease.ts';
import { FencedError, LeaseHeldError } from '../../lib/state/errors.ts';
import type { StateTable, StoredSwitch } from '../../lib/state/state-table.ts';

export type MemoryTable = Conductor['state'] &
  Pick<StateTable, 'claimEpoch' | 'newestClaim'> & {
    readonly switches: Map<string, StoredSwitch>;
    readonly journal: Map<string, JournalEntry>;
    readonly capacities: CellCapacity[];
    lease: Lease | undefined;
  };

/** The rules of `StateTable` in memory; that the real one keeps them is shown on LocalStack. */
export function memoryTable(): MemoryTable {
  const switches = new Map<string, StoredSwitch>();
  const journal = new Map<string, JournalEntry>();
  const claims: Omit<EpochClaim, 'epoch'>[] = [];
  const drained = new Map<string, number>();
  const capacities: CellCapacity[] = [];
  return {
    switches,
    journal,
    capacities,
    lease: undefined,
    readControl: async () => ({}),
    readSwitches: async (between) =>
      [...switches.values()].filter(
        ({ group }) => between === undefined || (group >= between.from && group <= between.to),
      ),
    async setSwitch({ group, ...change }) {
      if ((switches.get(group)?.epoch ?? 0) > change.epoch) throw new FencedError(group);
      switches.set(group, { group, ...change });
    },
    newestEpoch: async () => claims.length,
    async claimEpoch(claim) {
      if (!claims.some((made) => made.claim === claim.claim)) claims.push(claim);
      return claims.findIndex((made) => made.claim === claim.claim) + 1;
    },
    async newestClaim() {
      const claim = claims.at(-1);
      return claim === undefined ? undefined : { ...claim, epoch: claims.length };
    },
    async readClaim(epoch) {
      const claim = claims[epoch - 1];
      return claim === undefined ? undefined : { ...claim, epoch };
    },
    async readLease() {
      return this.lease;
    },
    async takeLease(lease, { nowMs, overOlder = false }) {
      const held = this.lease;
      if (held !== undefined && held.epoch > lease.epoch) throw new FencedError(held.holder);
      const free = held === undefined || held.holder === lease.holder || held.untilMs < nowMs;
      if (!free && !(overOlder && held.epoch < lease.epoch)) throw new LeaseHeldError(held.holder);
      this.lease = lease;
    },
    async releaseLease(holder) {
      if (this.lease?.holder === holder) this.lease = { ...this.lease, untilMs: 0 };
    },
    async journalOnce(entry, id) {
      const first = journal.get(id) ?? entry;
      journal.set(id, first);
      return first.atMs;
    },
    wasJournalled: async (id) => journal.has(id),
    readCapacities: async () => capacities,
    readDrained: async () => drained,
  };
}
