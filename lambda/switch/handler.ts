import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { clientOf } from '../aws/clients.ts';
import { groupsOf, readCells } from '../cells-file.ts';
import { switchPath } from '../core/names.ts';
import {
  positionUnread,
  type RememberedPosition,
  switchKey,
  switchPosition,
  switchText,
} from '../core/switch.ts';
import { answerGet } from '../endpoint/text-endpoint.ts';
import { requiredVariable } from '../settings.ts';
import { STATE_TABLE } from './settings.ts';

/** A checker waits 2 s for the status. */
const READ_TIMEOUT_MS = 1_000;

const table = requiredVariable(STATE_TABLE);
/** A closed list of paths: what a stranger asks for never reaches the table. */
const groupOfPath = new Map(groupsOf(readCells()).map((group) => [switchPath(group), group]));
const store = DynamoDBDocumentClient.from(
  clientOf(DynamoDBClient, {
    region: requiredVariable('AWS_REGION'),
    who: 'switch',
    timeoutMs: READ_TIMEOUT_MS,
    maxSockets: 8,
  }),
);

/** What this instance has read, by group; there are no more groups than paths. */
const remembered = new Map<string, RememberedPosition>();

/** The position of one group’s switch, for Route 53’s checkers. What is damaged, or unread for long, is PRIMARY. */
export async function handler(event: LambdaFunctionURLEvent): Promise<LambdaFunctionURLResult> {
  return answerGet(event, (path) => {
    const group = groupOfPath.get(path);
    return group === undefined ? undefined : readSwitch(group);
  });
}

async function readSwitch(group: string): Promise<string> {
  try {
    const { Item } = await store.send(
      new GetCommand({ TableName: table, Key: switchKey(group), ConsistentRead: true }),
      { abortSignal: AbortSignal.timeout(READ_TIMEOUT_MS) },
    );
    const position = switchPosition(Item);
    remembered.set(group, { position, readAtMs: performance.now() });
    return switchText(position);
  } catch (error) {
    const position = positionUnread(remembered.get(group), performance.now());
    const message = `switch unreadable, answering ${position}`;
    console.error(JSON.stringify({ message, group, error: String(error) }));
    return switchText(position);
  }
}
