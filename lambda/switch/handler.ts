import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { clientOf } from '../../lib/aws/clients.ts';
import { answerGet } from '../../lib/endpoint/text-endpoint.ts';
import { groupsOf, readCells } from '../../lib/settings/cells-file.ts';
import { STATE_TABLE } from '../../lib/settings/switch.ts';
import { requiredVariable } from '../../lib/settings/variables.ts';
import { switchPath } from '../core/names.ts';
import {
  type Position,
  READ_TIMEOUT_MS,
  refreshEveryMs,
  SWITCH_PARTITION,
  switchPosition,
  switchText,
} from '../core/switch.ts';
import { type Positions, Switchboard } from './positions.ts';

/** A page holds a megabyte, thousands of switches. */
const MAX_PAGES = 8;

const table = requiredVariable(STATE_TABLE);
const groups = groupsOf(readCells());
/** A closed list of paths: what a stranger asks for never reaches the table. */
const groupOfPath = new Map(groups.map((group) => [switchPath(group), group]));
const store = DynamoDBDocumentClient.from(
  clientOf(DynamoDBClient, {
    region: requiredVariable('AWS_REGION'),
    who: 'switch',
    timeoutMs: READ_TIMEOUT_MS,
    maxSockets: 8,
  }),
);
const switchboard = new Switchboard({
  read: readPositions,
  nowMs: () => performance.now(),
  refreshMs: refreshEveryMs(groups.length),
  onUnread: (error) =>
    console.error(JSON.stringify({ message: 'the switches are unreadable', error: String(error) })),
});

/** The position of one group’s switch, for Route 53’s checkers. What is damaged, or unread for long, is PRIMARY. */
export async function handler(event: LambdaFunctionURLEvent): Promise<LambdaFunctionURLResult> {
  return answerGet(event, (path) => {
    const group = groupOfPath.get(path);
    return group === undefined ? undefined : switchboard.positionOf(group).then(switchText);
  });
}

async function readPositions(abortSignal: AbortSignal): Promise<Positions> {
  const positions = new Map<string, Position>();
  let ExclusiveStartKey: QueryCommandOutput['LastEvaluatedKey'];
  for (let page = 0; page < MAX_PAGES; page++) {
    const command: QueryCommand = new QueryCommand({
      TableName: table,
      KeyConditionExpression: '#pk = :pk',
      ProjectionExpression: '#sk, #position',
      ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk', '#position': 'position' },
      ExpressionAttributeValues: { ':pk': SWITCH_PARTITION },
      ConsistentRead: true,
      ExclusiveStartKey,
    });
    const { Items, LastEvaluatedKey }: QueryCommandOutput = await store.send(command, { abortSignal });
    for (const item of Items ?? []) positions.set(String(item.sk), switchPosition(item));
    if (LastEvaluatedKey === undefined) return positions;
    ExclusiveStartKey = LastEvaluatedKey;
  }
  throw new Error(`${table} holds more switches than ${MAX_PAGES} pages`);
}
