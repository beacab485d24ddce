import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import getPort from 'get-port';
import type { Dice } from './dice.ts';

const START_TIMEOUT_MS = 30_000;

export interface Emulator {
  readonly url: string;
  close(): void;
}

export function kinesisAt(url: string, region: string): KinesisClient {
  return new KinesisClient({
    ...{ region, endpoint: url, maxAttempts: 1 },
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    requestHandler: new NodeHttpHandler({ requestTimeout: 5_000, throwOnRequestTimeout: true }),
  });
}

/** A whole Kinesis with streams in every region, in memory, as a process of its own. */
export async function startEmulator(): Promise<Emulator> {
  const main = fileURLToPath(import.meta.resolve('kinesis-local/main.js'));
  const [plain, tls] = [await getPort(), await getPort()];
  const child = spawn(process.execPath, [main], {
    stdio: 'ignore',
    env: {
      ...process.env,
      KINESIS_MOCK_PLAIN_PORT: `${plain}`,
      KINESIS_MOCK_TLS_PORT: `${tls}`,
      KINESIS_MOCK_CERT_PATH: fileURLToPath(import.meta.resolve('kinesis-local/server.json')),
      CREATE_STREAM_DURATION: '1ms',
      SPLIT_SHARD_DURATION: '1ms',
      SHARD_LIMIT: '5000',
      LOG_LEVEL: 'ERROR',
    },
  });
  const url = `http://127.0.0.1:${plain}`;
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  while (
    !(await fetch(url).then(
      () => true,
      () => false,
    ))
  ) {
    if (performance.now() > deadlineMs) throw new Error('kinesis-local did not start within 30 s.');
    await sleep(50);
  }
  return { url, close: () => void child.kill('SIGKILL') };
}

/** What becomes of a request. */
type Fate = 'pass' | 'throttle' | 'loseRequest' | 'loseAnswer' | 'fail' | 'half';
const fates = ['throttle', 'loseRequest', 'loseAnswer', 'fail', 'half'] as const;
/** One request in so many meets with something. */
const badOneIn = { calm: 25, stormy: 3 } as const;
const json = 'application/x-amz-json-1.1';

export interface Storm extends Emulator {
  weather: keyof typeof badOneIn;
  /** Requests so far. */
  readonly requests: () => number;
  /** Resolves after this many more. */
  after(requests: number): Promise<void>;
}

/** Stands between a drain and Kinesis: throttles, loses requests and answers, fails, and takes only a part of the records. */
export async function startStorm(upstream: string, dice: Dice): Promise<Storm> {
  let count = 0;
  let enough: { readonly at: number; readonly resolve: () => void } | undefined;
  const server = createServer(async (request, response) => {
    if (++count >= (enough?.at ?? Number.POSITIVE_INFINITY)) enough?.resolve();
    const fate: Fate = dice.between(1, badOneIn[storm.weather]) === 1 ? dice.oneOf(fates) : 'pass';
    const refuse = (status: number, type: string): void => {
      response.writeHead(status, { 'content-type': json }).end(JSON.stringify({ __type: type }));
    };
    try {
      const body = await buffer(request);
      if (fate === 'throttle') return refuse(400, 'ProvisionedThroughputExceededException');
      if (fate === 'loseRequest') return void response.destroy();
      const answer = fate === 'half' ? await passHalf(request, body) : await pass(request, body);
      if (fate === 'loseAnswer') return void response.destroy();
      if (fate === 'fail') return refuse(500, 'InternalFailure');
      response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.bytes);
    } catch {
      response.destroy();
    }
  });
  const pass = async (request: IncomingMessage, body: Buffer) => {
    const headers = Object.entries(request.headers).filter(([name]) => !hopByHop.has(name));
    const answer = await fetch(upstream, { method: 'POST', headers: headers as [string, string][], body });
    const type = answer.headers.get('content-type') ?? '';
    return { status: answer.status, type, bytes: Buffer.from(await answer.arrayBuffer()) };
  };
  /** Some records are stored and the others refused, each by itself. */
  const passHalf = async (request: IncomingMessage, body: Buffer) => {
    if (!String(request.headers['x-amz-target']).endsWith('.PutRecords')) return pass(request, body);
    const input = JSON.parse(body.toString()) as { readonly Records: readonly unknown[] };
    const isTaken = input.Records.map(() => dice.between(0, 1) === 1);
    const Records = input.Records.filter((_record, n) => isTaken[n]);
    const refusal = {
      ErrorCode: 'ProvisionedThroughputExceededException',
      ErrorMessage: 'refused by the storm',
    };
    const taken =
      Records.length === 0
        ? []
        : (JSON.parse(
            (await pass(request, Buffer.from(JSON.stringify({ ...input, Records })))).bytes.toString(),
          ).Records as readonly unknown[]);
    const left = taken.values();
    const answers = isTaken.map((one) => (one ? left.next().value : refusal));
    const FailedRecordCount = answers.filter((one) => one === refusal).length;
    return {
      status: 200,
      type: json,
      bytes: Buffer.from(JSON.stringify({ FailedRecordCount, Records: answers })),
    };
  };
  const storm: Storm = {
    ...{ url: '', weather: 'calm', requests: () => count },
    after: (requests) =>
      new Promise((resolve) => {
        enough = { at: count + requests, resolve };
      }),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(storm, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const hopByHop = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive']);
