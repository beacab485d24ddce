import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { LambdaFunctionURLEvent, LambdaFunctionURLResult } from 'aws-lambda';
import { clientOf } from '../../lib/aws/clients.ts';
import { answerGet } from '../../lib/endpoint/text-endpoint.ts';
import { requiredVariable } from '../../lib/settings/variables.ts';
import { VOTE_TABLE } from '../../lib/settings/vote.ts';
import { endpointText } from '../core/endpoint-text.ts';
import { votePath } from '../core/names.ts';
import { liveVote, observerKey } from '../core/vote.ts';

/** A checker waits 2 s for the status; the answer HOLD must leave in time even if the table does not answer. */
const READ_TIMEOUT_MS = 1_000;

const table = requiredVariable(VOTE_TABLE);
const region = requiredVariable('AWS_REGION');
const store = DynamoDBDocumentClient.from(
  clientOf(DynamoDBClient, {
    region,
    who: `vote ${region}`,
    timeoutMs: READ_TIMEOUT_MS,
    maxSockets: 4,
  }),
);

/**
 * The vote of this region’s observer, for Route 53’s checkers. Anything missing, stale or unreadable is HOLD; that
 * it was unreadable is said beside it, for the monitor.
 */
export async function handler(event: LambdaFunctionURLEvent): Promise<LambdaFunctionURLResult> {
  return answerGet(event, (path) => (path === votePath ? readVote() : undefined));
}

async function readVote(): Promise<string> {
  try {
    const { Item } = await store.send(
      new GetCommand({ TableName: table, Key: observerKey, ConsistentRead: true }),
      { abortSignal: AbortSignal.timeout(READ_TIMEOUT_MS) },
    );
    return endpointText('vote', { value: liveVote(Item, Date.now()), read: true });
  } catch (error) {
    console.error(JSON.stringify({ message: 'vote unreadable, answering HOLD', error: String(error) }));
    return endpointText('vote', { value: 'HOLD', read: false });
  }
}
