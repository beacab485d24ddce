import { ListShardsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis';
import { beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { readStream } from '../../lib/live-drill/read-stream.ts';
import {
  isActive,
  type KinesisServer,
  makeStream,
  putAll,
  sharedKinesis,
} from '../drain/fixtures/kinesis.ts';
import { clientFor } from '../drain/fixtures/plain-client.ts';
import { startTap, type Tap } from '../drain/fixtures/tap.ts';

const REGION = 'us-west-2';
const limits = { readEveryMs: 0, maxPagesPerShard: 10 };
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => [`key${from + n}`, `${from + n}`] as const);

let kinesis: KinesisServer;
let tap: Tap;
beforeAll(async () => {
  kinesis = await sharedKinesis();
});
beforeEach(async () => {
  tap = await startTap(kinesis.url);
  onTestFinished(tap.close);
});

const numbers = async (streamName: string, sinceMs?: number) => {
  const client = clientFor(tap.url, REGION);
  const found = await readStream({
    ...limits,
    client,
    streamName,
    ...(sinceMs === undefined ? {} : { sinceMs }),
  });
  return found.map(({ text }) => Number(text)).toSorted((a, b) => a - b);
};
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

async function splitStream(streamName: string) {
  const client = clientFor(kinesis.url, REGION);
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: streamName }));
  await client.send(
    new SplitShardCommand({
      StreamName: streamName,
      ShardToSplit: Shards[0]?.ShardId,
      NewStartingHashKey: String(2n ** 127n),
    }),
  );
  await isActive(client, streamName);
  return Shards;
}

it('reads closed and open shards, from the oldest or from a time', async () => {
  const client = clientFor(kinesis.url, REGION);
  await makeStream(client, 'split');
  const sinceMs = Date.now();
  await putAll(client, 'split', numbered(0, 10));
  await splitStream('split');
  await putAll(client, 'split', numbered(10, 20));
  expect(await numbers('split')).toEqual(upTo(20));
  expect(await numbers('split', sinceMs)).toEqual(upTo(20));
});

it('reads what is in shards that came of a split after the stream was listed', async () => {
  const client = clientFor(kinesis.url, REGION);
  await makeStream(client, 'meanwhile');
  await putAll(client, 'meanwhile', numbered(0, 10));
  const before = await splitStream('meanwhile');
  await putAll(client, 'meanwhile', numbered(10, 20));
  tap.after = ({ operation }) =>
    operation === 'ListShards' ? { status: 200, body: { Shards: before } } : 'pass';
  expect(await numbers('meanwhile')).toEqual(upTo(20));
});

it('goes on after an empty page while it is behind', async () => {
  const client = clientFor(kinesis.url, REGION);
  await makeStream(client, 'behind');
  await putAll(client, 'behind', numbered(0, 3));
  let iterator = '';
  tap.after = ({ operation, number }, answer) => {
    if (operation === 'GetShardIterator') iterator = JSON.parse(answer.toString()).ShardIterator;
    const isBehind = operation === 'GetRecords' && number <= 2;
    const body = { Records: [], MillisBehindLatest: 60_000, NextShardIterator: iterator };
    return isBehind ? { status: 200, body } : 'pass';
  };
  expect(await numbers('behind')).toEqual(upTo(3));
});
