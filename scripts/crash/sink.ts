import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from './dice.ts';

export type Phase = 'healthy' | 'hanging' | 'resetting' | 'failing' | 'throttling' | 'half' | 'garbling';

const bad: readonly Phase[] = ['hanging', 'resetting', 'failing', 'throttling', 'half', 'garbling'];

/** `calm`: mostly healthy, so that the spool becomes empty and records go direct. `stormy`: mostly not. */
export type Weather = 'calm' | 'stormy';
const healthyOfTen: Readonly<Record<Weather, number>> = { calm: 8, stormy: 3 };
const SHORTEST_PHASE_MS = 100;
const LONGEST_PHASE_MS = 600;
const CLOSE_TIMEOUT_MS = 2_000;

export interface CrashSink {
  readonly url: string;
  weather: Weather;
  /** Resolves when no connection is left of a process that is gone: what it sent has been dealt with. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

interface Body {
  readonly Records: readonly { readonly Data: string }[];
}

/** Kinesis on a socket, on bad days: `onStored` is told each record that is in the stream, in its order. */
export async function startCrashSink(dice: Dice, onStored: (text: string) => void): Promise<CrashSink> {
  let phase: Phase = 'healthy';
  let sequence = 0;
  const store = ({ Data }: { readonly Data: string }) => {
    onStored(Buffer.from(Data, 'base64').toString());
    return { ShardId: 'shardId-000000000000', SequenceNumber: String(++sequence) };
  };
  const refuse = (code: string) => ({ ErrorCode: code, ErrorMessage: 'refused by the sink' });
  const answer = (response: ServerResponse, Records: readonly object[]): void => {
    const FailedRecordCount = Records.filter((record) => 'ErrorCode' in record).length;
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify({ FailedRecordCount, Records }));
  };
  /** A request that gets no proper answer may have been carried out all the same. */
  const perhaps = ({ Records }: Body): void => {
    if (dice.between(0, 1) === 1) for (const record of Records) store(record);
  };
  const byPhase: Record<Phase, (body: Body, response: ServerResponse) => void> = {
    healthy: ({ Records }, response) => answer(response, Records.map(store)),
    hanging: (body) => perhaps(body),
    resetting: (body, response) => {
      perhaps(body);
      response.socket?.resetAndDestroy();
    },
    failing: (body, response) => {
      perhaps(body);
      response.writeHead(500, { 'content-type': 'application/x-amz-json-1.1' });
      response.end('{"__type":"InternalFailure"}');
    },
    throttling: ({ Records }, response) =>
      answer(
        response,
        Records.map(() => refuse('ProvisionedThroughputExceededException')),
      ),
    half: ({ Records }, response) =>
      answer(
        response,
        Records.map((record) => (dice.between(0, 1) === 1 ? store(record) : refuse('InternalFailure'))),
      ),
    garbling: (body, response) => {
      perhaps(body);
      response.end('{"Records":[{"Shard');
    },
  };
  const server = createServer((request, response) => {
    text(request).then(
      (body) => byPhase[phase](JSON.parse(body) as Body, response),
      // The connection went before the request was whole: nothing was carried out.
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
