import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { contentTypes, type ServedRequest, servedRequest } from '../../test/producer/sink/put-records.ts';
import type { Dice } from './dice.ts';

export type Phase =
  | 'healthy'
  | 'hanging'
  | 'resetting'
  | 'failing'
  | 'throttling'
  | 'hotShard'
  | 'half'
  | 'garbling';

const bad: readonly Phase[] = [
  'hanging',
  'resetting',
  'failing',
  'throttling',
  'hotShard',
  'half',
  'garbling',
];
const SHARDS = 4;

/** `calm`: mostly healthy, so that the spool becomes empty and records go direct. `stormy`: mostly not. */
export type Weather = 'calm' | 'stormy';
const healthyOfTen: Readonly<Record<Weather, number>> = { calm: 8, stormy: 3 };
const SHORTEST_PHASE_MS = 100;
const LONGEST_PHASE_MS = 600;
const CLOSE_TIMEOUT_MS = 2_000;

export interface CrashSink {
  readonly url: string;
  weather: Weather;
  /** Resolves when no connection of an ended process is left, so that everything it sent has been handled. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts an unreliable Kinesis on a socket: `onStored` is called with each record that is in the stream, in
 * the order of the stream.
 */
export async function startCrashSink(dice: Dice, onStored: (text: string) => void): Promise<CrashSink> {
  let phase: Phase = 'healthy';
  let sequence = 0;
  const store = ({ data, partitionKey }: { readonly data: Buffer; readonly partitionKey: string }) => {
    onStored(data.toString());
    return { ShardId: shardOf(partitionKey), SequenceNumber: String(++sequence) };
  };
  const tooMuch = (shard: string) => ({
    ErrorCode: 'ProvisionedThroughputExceededException',
    ErrorMessage: `Rate exceeded for shard ${shard} in stream orders.`,
  });
  const refuse = (code: string) => ({ ErrorCode: code, ErrorMessage: 'refused by the sink' });
  /** A request that gets no proper answer may have been carried out all the same. */
  const perhaps = ({ records }: ServedRequest): void => {
    if (dice.between(0, 1) === 1) for (const record of records) store(record);
  };
  const byPhase: Record<Phase, (asked: ServedRequest, response: ServerResponse) => void> = {
    healthy: ({ records, answer }, response) => answer(response, records.map(store)),
    hanging: (asked) => perhaps(asked),
    resetting: (asked, response) => {
      perhaps(asked);
      response.socket?.resetAndDestroy();
    },
    failing: (asked, response) => {
      perhaps(asked);
      response.writeHead(500, { 'content-type': 'application/x-amz-json-1.1' });
      response.end('{"__type":"InternalFailure"}');
    },
    throttling: ({ records, answer }, response) =>
      answer(
        response,
        records.map(() => refuse('ProvisionedThroughputExceededException')),
      ),
    hotShard: ({ records, answer }, response) =>
      answer(
        response,
        records.map((record) => {
          const shard = shardOf(record.partitionKey);
          return shard.endsWith('0') ? tooMuch(shard) : store(record);
        }),
      ),
    half: ({ records, answer }, response) =>
      answer(
        response,
        records.map((record) => (dice.between(0, 1) === 1 ? store(record) : refuse('InternalFailure'))),
      ),
    garbling: (asked, response) => {
      perhaps(asked);
      // The body is in neither encoding.
      response.setHeader('content-type', contentTypes[asked.encoding]);
      response.end('{"Records":[{"Shard');
    },
  };
  const server = createServer((request, response) => {
    servedRequest(request).then(
      (asked) => byPhase[phase](asked, response),
      // The connection ended before the request was complete: nothing was carried out.
      () => {},
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let timer: NodeJS.Timeout;
  const next = (): void => {
    timer = setTimeout(
      () => {
        phase = dice.between(1, 10) <= healthyOfTen[sink.weather] ? 'healthy' : dice.oneOf(bad);
        next();
      },
      dice.between(SHORTEST_PHASE_MS, LONGEST_PHASE_MS),
    );
  };
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  const sink: CrashSink = {
    weather: 'calm',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    settled: async () => {
      const deadlineMs = performance.now() + CLOSE_TIMEOUT_MS;
      while ((await connections()) > 0) {
        if (performance.now() > deadlineMs) server.closeAllConnections();
        await sleep(2);
      }
    },
    close: async () => {
      clearTimeout(timer);
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  next();
  return sink;
}

/** Shards share the hash keys evenly. */
function shardOf(partitionKey: string): string {
  const place = createHash('md5').update(partitionKey).digest()[0] as number;
  return `shardId-${String(Math.floor((place * SHARDS) / 256)).padStart(12, '0')}`;
}
