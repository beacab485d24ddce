import { drillEntry, drillId } from '../../../lambda/core/journal.ts';
import { stateTableName } from '../../../lambda/core/names.ts';
import { StateTable } from '../../state/state-table.ts';
import type { DrillResult } from './result.ts';
import type { World } from './world.ts';

const TIMEOUT_MS = 3_000;

/** Writes the drill's entry into the journal of its world, where `spillway status` finds the entry. */
export async function remember(
  { clients, config }: World,
  { run, result, atMs }: { readonly run: string; readonly result: DrillResult; readonly atMs: number },
): Promise<void> {
  const table = new StateTable({
    client: clients.documents(config.regions.standby),
    table: stateTableName(config.name),
    timeoutMs: TIMEOUT_MS,
  });
  const { scenario, ok, rtoMs, records } = result;
  const entry = drillEntry({ atMs, who: 'drill', subject: scenario, ok, rtoMs, lost: records.lost });
  await table.journalOnce(entry, drillId(run));
}
