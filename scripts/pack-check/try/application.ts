import {
  Deduplicator,
  DynamoSeenStore,
  type OrderVerdict,
  type ProcessedBatch,
  processRecords,
  takeApart,
  type UserRecord,
} from 'spillway/consumer';
import { FailoverProducer, type ProducerOptions, type Receipt, RecordError } from 'spillway/producer';

const options: ProducerOptions = {
  signal: { name: 'signal.orders.example.com' },
  regions: ['us-east-1', 'us-west-2'],
  spool: { directory: '/tmp/spool' },
};

export async function write(data: Uint8Array): Promise<Receipt> {
  const producer = new FailoverProducer(options);
  try {
    return await producer.put({ partitionKey: 'customer-1', data });
  } catch (error) {
    if (error instanceof RecordError) throw new Error('this record', { cause: error });
    throw error;
  } finally {
    await producer.close();
  }
}

// @ts-expect-error A number is no partition key: were the types lost, everything would be allowed.
export const wrong = new FailoverProducer(options).put({ partitionKey: 1, data: 'x' });
export const verdicts: readonly OrderVerdict[] = [];
export const deduplicator = new Deduplicator();
export const apart: readonly UserRecord[] = takeApart({
  data: 'eA==',
  partitionKey: 'k',
  sequenceNumber: '1',
});

// Without the AWS SDK's client of DynamoDB: its types are not needed.
const store = new DynamoSeenStore({ client: { send: async () => ({}) }, table: 'handled' });
export const handler = (event: Parameters<typeof processRecords>[0]): Promise<ProcessedBatch> =>
  processRecords(event, ({ data }) => data.byteLength, { deduplicator: new Deduplicator({ store }) });
