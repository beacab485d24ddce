import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeApart } from '../../lib/consumer/index.ts';
import {
  contentTypes,
  type ParsedRecord,
  type ServedRequest,
  servedRequest,
} from '../../test/producer/sink/put-records.ts';
import { ShardRing } from '../../test/producer/sink/shard-ring.ts';
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
/** The stream has from so few shards to so many. */
const LEAST_SHARDS = 3;
const MOST_SHARDS = 8;
/** One phase in so many begins with a split or a merge. */
const RESHARD_ONE_IN = 3;
const LIST_SHARDS = 'Kinesis_20131202.ListShards';

/** `calm`: mostly healthy, so that the spool becomes empty and records go direct. `stormy`: mostly not. */
export type Weather = 'calm' | 'stormy';
const healthyOfTen: Readonly<Record<Weather, number>> = { calm: 8, stormy: 3 };
const SHORTEST_PHASE_MS = 100;
const LONGEST_PHASE_MS = 600;
const CLOSE_TIMEOUT_MS = 2_000;

export interface CrashSink {
  readonly url: string;
  weather: Weather;
  readonly counts: { readonly droppedByKcl: number; readonly reshards: number; readonly aggregates: number };
  /** Resolves when no connection of an ended process is left, so that everything it sent has been handled. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface CrashSinkOptions {
  /** Called with each record that the KCL would give to an application, in the order of the stream. */
  readonly onStored: (text: string) => void;
  /** The stream is split and merged now and then. */
  readonly reshards: boolean;
}

/** Starts an unreliable Kinesis on a socket. */
export async function startCrashSink(
  dice: Dice,
  { onStored, reshards }: CrashSinkOptions,
): Promise<CrashSink> {
  let phase: Phase = 'healthy';
  let sequence = 0;
  const ring = new ShardRing(SHARDS);
  const counts = { droppedByKcl: 0, reshards: 0, aggregates: 0 };
  const store = (record: ParsedRecord) => {
    const shard = ring.shardOf(record);
    const SequenceNumber = String(++sequence);
    const inside = takeApart(
      { PartitionKey: record.partitionKey, Data: record.data, SequenceNumber },
      { hashKeyRange: { StartingHashKey: `${shard.first}`, EndingHashKey: `${shard.last}` } },
    );
    if (inside[0]?.aggregated) counts.aggregates++;
    for (const one of inside) {
      if (one.droppedByKcl) counts.droppedByKcl++;
      else if ('data' in one && one.data !== undefined) onStored(Buffer.from(one.data).toString());
      else throw new Error(`A damaged record: ${JSON.stringify(one.rejection)}`);
    }
    return { ShardId: shard.id, SequenceNumber };
  };
  const reshard = (): void => {
    const { open } = ring;
    const merges = open.length >= MOST_SHARDS || (open.length > LEAST_SHARDS && dice.between(0, 1) === 1);
    const one = dice.oneOf(open);
    if (!merges) ring.split(one);
    else if (open.some(({ first }) => first === one.last + 1n)) ring.merge(one);
    else return;
    counts.reshards++;
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
          const { id, first } = ring.shardOf(record);
          return first === 0n ? tooMuch(id) : store(record);
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
    if (request.headers['x-amz-target'] === LIST_SHARDS) {
      request.resume();
      if (phase === 'hanging') return;
      response.setHeader('content-type', contentTypes.json);
      response.end(JSON.stringify({ Shards: ring.listed() }));
      return;
    }
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
        if (reshards && dice.between(1, RESHARD_ONE_IN) === 1) reshard();
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
    counts,
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
