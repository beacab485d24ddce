import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { clientOf } from '../../lib/aws/clients.ts';
import { answerGet } from '../../lib/endpoint/text-endpoint.ts';
import { groupsOf, readCells } from '../../lib/settings/cells-file.ts';
import { STATE_TABLE } from '../../lib/settings/switch.ts';
import { requiredVariable } from '../../lib/settings/variables.ts';
import { StateCalls } from '../../lib/state/calls.ts';
import { endpointText } from '../core/endpoint-text.ts';
import { switchPath } from '../core/names.ts';
import { READ_TIMEOUT_MS, refreshEveryMs, SWITCH_PARTITION, switchPosition } from '../core/switch.ts';
import { type Positions, Switchboard } from './positions.ts';

const groups = groupsOf(readCells());
/** A closed list of paths, so that a stranger's request for any other path never reaches the table. */
const groupOfPath = new Map(groups.map((group) => [switchPath(group), group]));
const client = DynamoDBDocumentClient.from(
  clientOf(DynamoDBClient, {
    region: requiredVariable('AWS_REGION'),
    who: 'switch',
    timeoutMs: READ_TIMEOUT_MS,
    maxSockets: 8,
  }),
);
const table = new StateCalls({ client, table: requiredVariable(STATE_TABLE), timeoutMs: READ_TIMEOUT_MS });
const switchboard = new Switchboard({
  read: readPositions,
  nowMs: () => performance.now(),
  refreshMs: refreshEveryMs(groups.length),
  onUnread: (error) =>
    console.error(JSON.stringify({ message: 'the switches are unreadable', error: String(error) })),
});

/**
 * The position of one group’s switch, for Route 53’s checkers. A switch that is damaged, or unread for long,
 * reads PRIMARY; that the switches could not be read is said beside it, for the monitor.
 */
export async function handler(event: LambdaFunctionURLEvent): Promise<LambdaFunctionURLResult> {
  return answerGet(event, (path) => {
    const group = groupOfPath.get(path);
    if (group === undefined) return undefined;
    return switchboard.say(group).then((said) => endpointText('switch', said));
  });
}

async function readPositions(signal: AbortSignal): Promise<Positions> {
  const items = await table.query(SWITCH_PARTITION, { attributes: ['sk', 'position'], signal });
  return new Map(items.map((item) => [String(item.sk), switchPosition(item)]));
}
