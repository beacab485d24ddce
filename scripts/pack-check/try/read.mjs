import assert from 'node:assert/strict';
import { Deduplicator, DynamoSeenStore, processRecords } from 'spillway/consumer';

/** Reads an event of Lambda, and says what to install where ids are to be kept in DynamoDB without its client. */
const event = { Records: [{ kinesis: { data: 'eA==', partitionKey: 'k', sequenceNumber: '1' } }] };
const handled = [];
const handle = ({ data }) => handled.push(`${Buffer.from(data)}`);
assert.deepEqual(await processRecords(event, handle, { deduplicator: new Deduplicator() }), {
  batchItemFailures: [],
});
assert.deepEqual(handled, ['x']);
const store = new DynamoSeenStore({ client: { send: async () => ({}) }, table: 'handled' });
await assert.rejects(store.seen('x'), /npm install @aws-sdk\/client-dynamodb/);
