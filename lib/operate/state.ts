import type { ConsumerDigest } from '../../lambda/core/consumer-digest.ts';
import type { ControlReading } from '../../lambda/core/control.ts';
import type { CellCapacity } from '../../lambda/core/fitness.ts';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import type { Lease } from '../../lambda/core/lease.ts';
import { stateTableName } from '../../lambda/core/names.ts';
import type { Recurring } from '../../lambda/core/recurring.ts';
import type { Config } from '../config/config.ts';
import { ConsumerDigests } from '../state/consumer-digests.ts';
import { RecurringTable } from '../state/recurring-table.ts';
import { StateTable, type StoredSwitch } from '../state/state-table.ts';
import type { AwsClients } from './clients.ts';
import { type Reading, reading } from './reading.ts';

export interface StateReadings {
  readonly control: Reading<ControlReading>;
  readonly switches: Reading<readonly StoredSwitch[]>;
  /** No value: nobody ever held the lease. */
  readonly lease: Reading<Lease | undefined>;
  /** Epoch of the newest act; 0 when there never was an act. */
  readonly epoch: Reading<number>;
  /** Newest first. */
  readonly journal: Reading<readonly JournalEntry[]>;
  /** The sizes and loads of the cells' streams that the survey last saw. */
  readonly capacities: Reading<readonly CellCapacity[]>;
  /** Who would read the cells' streams in the standby, as the survey last saw it. */
  readonly consumers: Reading<readonly ConsumerDigest[]>;
  /** Since when the deployment asks for drills, and the last drill that succeeded. */
  readonly drill: Reading<Recurring>;
}

/** Enough entries to find the last drill and the last acknowledgement. */
const JOURNAL_ENTRIES = 200;

export function stateTable(config: Config, clients: AwsClients, timeoutMs: number): StateTable {
  return new StateTable(tableOptions(config, clients, timeoutMs));
}

const tableOptions = (config: Config, clients: AwsClients, timeoutMs: number) => ({
  client: clients.documents(config.regions.standby),
  table: stateTableName(config.name),
  timeoutMs,
});

/** Reads the standby's table, each part on its own. Never throws. */
export async function readState(
  config: Config,
  { clients, timeoutMs }: { readonly clients: AwsClients; readonly timeoutMs: number },
): Promise<StateReadings> {
  const table = stateTable(config, clients, timeoutMs);
  const recurring = new RecurringTable(tableOptions(config, clients, timeoutMs));
  const digests = new ConsumerDigests(tableOptions(config, clients, timeoutMs));
  const [control, switches, lease, epoch, journal, capacities, consumers, drill] = await Promise.all([
    reading(timeoutMs, () => table.readControl()),
    reading(timeoutMs, () => table.readSwitches()),
    reading(timeoutMs, () => table.readLease()),
    reading(timeoutMs, () => table.newestEpoch()),
    reading(timeoutMs, () => table.history(JOURNAL_ENTRIES)),
    reading(timeoutMs, () => table.readCapacities()),
    reading(timeoutMs, () => digests.read()),
    reading(timeoutMs, () => recurring.read('drill')),
  ]);
  return { control, switches, lease, epoch, journal, capacities, consumers, drill };
}
