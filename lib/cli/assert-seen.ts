import { assertReadable } from '../operate/credentials.ts';
import { reading } from '../operate/reading.ts';
import { stateTable } from '../operate/state.ts';
import type { Acting } from './change.ts';

const TABLE_TIMEOUT_MS = 3_000;

/**
 * Checks that the credentials work. The guards of a drill refuse for anything that they cannot read, and
 * would not say whose fault it is. @throws CredentialsError
 */
export async function assertSeen({ target, clients }: Pick<Acting, 'target' | 'clients'>): Promise<void> {
  const table = stateTable(target.config, clients, TABLE_TIMEOUT_MS);
  const control = await reading(TABLE_TIMEOUT_MS, () => table.readControl());
  await assertReadable([control], { clients, region: target.config.regions.standby });
}
