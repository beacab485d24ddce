import { stateTableName } from '../../../lambda/core/names.ts';
import { StateTable } from '../../state/state-table.ts';
import type { World } from './world.ts';

const WRITE_TIMEOUT_MS = 5_000;

/**
 * Sets the mode of the deployed app to `auto`, where its config says otherwise, by the control item: what is deployed
 * stays as it is. A drill is there to show an evacuation, and the config that `spillway init` proposes only observes.
 */
export async function goAuto(
  { config, clients }: Pick<World, 'config' | 'clients'>,
  onProgress: (text: string) => void,
): Promise<void> {
  const { mode } = config.policy;
  if (mode === 'auto') return;
  const state = new StateTable({
    client: clients.documents(config.regions.standby),
    table: stateTableName(config.name),
    timeoutMs: WRITE_TIMEOUT_MS,
  });
  await state.writeControl({ mode: 'auto' }, undefined);
  onProgress(`the config’s mode is ${mode}; for this drill alone, the control item sets it to auto`);
}
