const { Deduplicator } = require('spillway/consumer');
const { FailoverProducer } = require('spillway/producer');

const producer = new FailoverProducer({
  signal: { name: 'unused.example.com' },
  regions: ['us-east-1'],
  streamName: 'orders',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  endpoint: () => process.env.SINK_URL,
});
producer
  .put({ partitionKey: 'customer-1', data: 'hello' })
  .then(({ region }) => {
    if (region !== 'us-east-1' || typeof Deduplicator !== 'function') throw new Error('not what was packed');
    return producer.close();
  })
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });
