import { Deduplicator, takeApart } from 'spillway/consumer';
import { FailoverProducer } from 'spillway/producer';

const producer = new FailoverProducer({
  signal: { name: 'unused.example.com' },
  regions: ['us-east-1'],
  streamName: 'orders',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  endpoint: () => process.env.SINK_URL,
});
const { region } = await producer.put({ partitionKey: 'customer-1', data: 'hello' });
await producer.close();
if (
  region !== 'us-east-1' ||
  typeof Deduplicator !== 'function' ||
  takeApart({ Data: new Uint8Array(1) }).length !== 1
)
  throw new Error('not what was packed');
