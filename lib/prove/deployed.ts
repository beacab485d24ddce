import { stateTableName } from '../../lambda/core/names.ts';
import { type Deployed, DeployedTable } from '../state/deployed-table.ts';
import type { ProveContext } from './context.ts';

const TIMEOUT_MS = 3_000;

/** What the guard has stored of the last deployment: hosts and checks of votes and switches. */
export function readDeployed({ clients, config }: ProveContext): Promise<Deployed> {
  return new DeployedTable({
    client: clients.documents(config.regions.standby),
    table: stateTableName(config.name),
    timeoutMs: TIMEOUT_MS,
  }).read();
}

/** The group whose switch is looked at: that of the drill cell, or the first one of a local world. */
export const provenGroup = ({ drill, config }: Pick<ProveContext, 'drill' | 'config'>): string =>
  drill?.group ?? config.cells[0]?.group ?? '';
