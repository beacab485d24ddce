// Puts the records of stdin with the AWS SDK for JavaScript: one PutRecords after the other, and what failed again.
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';

const BATCH = 500;
const PAUSE_MS = 100;

const asked = JSON.parse(process.argv[2]);
const { accessKeyId, secretAccessKey } = asked;
const client = new KinesisClient({
  region: asked.region,
  endpoint: asked.endpoint,
  credentials: { accessKeyId, secretAccessKey },
});
const waiting = [];
let ended = false;
let woken = () => {};

const write = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

const entryOf = ({ partitionKey, explicitHashKey, data }) => ({
  PartitionKey: partitionKey,
  ExplicitHashKey: explicitHashKey,
  Data: Buffer.from(data, 'base64'),
});

async function put(batch) {
  let left = batch;
  while (left.length > 0) {
    try {
      const { Records } = await client.send(
        new PutRecordsCommand({ StreamName: asked.stream, Records: left.map(entryOf) }),
      );
      const failed = left.filter((_, n) => Records[n].ErrorCode !== undefined);
      for (const [n, { id }] of left.entries()) {
        const { ErrorCode, ShardId, SequenceNumber } = Records[n];
        if (ErrorCode === undefined) write({ id, shardId: ShardId, sequenceNumber: SequenceNumber });
      }
      left = failed;
    } catch (error) {
      write({ problem: String(error) });
    }
    if (left.length > 0) await sleep(PAUSE_MS);
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    waiting.push(JSON.parse(line));
    woken();
  })
  .on('close', () => {
    ended = true;
    woken();
  });

while (!ended || waiting.length > 0) {
  if (waiting.length > 0) await put(waiting.splice(0, BATCH));
  else {
    await new Promise((resolve) => {
      woken = resolve;
    });
  }
}
client.destroy();
