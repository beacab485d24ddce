import { DeleteCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { stateTableName, voteTableName } from '../../../lambda/core/names.ts';
import { observerKey } from '../../../lambda/core/vote.ts';
import { type Config, observerRegions } from '../../config/config.ts';
import type { LocalClients } from './clients.ts';

/**
 * Deletes what earlier drills on the same LocalStack left: each observer's memory and vote, the control item
 * and the switches. A run of an observer that is still going on finds that its item is no longer its own, and
 * ends.
 */
export async function forgetEarlierDrills(
  clients: LocalClients,
  config: Config,
  abortSignal: AbortSignal,
): Promise<void> {
  const votes = observerRegions(config.regions).map((region) =>
    clients
      .documents(region)
      .send(new DeleteCommand({ TableName: voteTableName(config.name), Key: observerKey }), { abortSignal }),
  );
  await Promise.all([...votes, forgetState(clients, config, abortSignal)]);
}

/**
 * Deletes the state. One page is enough: some switches and a control item, of some dozen bytes each, where a
 * page holds a megabyte.
 */
async function forgetState(clients: LocalClients, config: Config, abortSignal: AbortSignal): Promise<void> {
  const documents = clients.documents(config.regions.standby);
  const TableName = stateTableName(config.name);
  const { Items = [] } = await documents.send(
    new ScanCommand({ TableName, ProjectionExpression: 'pk, sk' }),
    {
      abortSignal,
    },
  );
  await Promise.all(
    Items.map(({ pk, sk }) =>
      documents.send(new DeleteCommand({ TableName, Key: { pk, sk } }), { abortSignal }),
    ),
  );
}
