import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json as jsonBody } from 'node:stream/consumers';
import { hashKeyOf } from '../../lib/aggregate/keys.ts';
import { type ServedRequest, servedRequest } from '../producer/sink/put-records.ts';

export interface StoredRecord {
  readonly stream: string;
  readonly partitionKey: string;
  readonly explicitHashKey: string | undefined;
  readonly text: string;
  readonly data: Buffer;
}

/** What to do with a put: answer it, fail as a region does, keep it until `mode` changes, or refuse the role or the stream. */
export type Mode = 'serve' | 'fail' | 'hang' | 'deny' | 'refuse';

/** One region's Kinesis on a real socket: puts, and the three calls that the sidecar passes on. */
export interface FakeKinesis {
  readonly url: string;
  mode: Mode;
  /** In the order of the stream. */
  readonly records: StoredRecord[];
  /** Calls other than puts, with their input. */
  readonly asked: { readonly operation: string; readonly input: Readonly<Record<string, unknown>> }[];
  /** Shards of two pages. */
  readonly shards: readonly object[];
  close(): Promise<void>;
}

const LAST = 2n ** 128n - 1n;
const HALF = 2n ** 127n;

export async function startFakeKinesis({ firstShard = 0 } = {}): Promise<FakeKinesis> {
  let sequence = 0;
  const id = (n: number): string => `shardId-${String(firstShard + n).padStart(12, '0')}`;
  const shard = (n: number, from: bigint, to: bigint): object => ({
    ShardId: id(n),
    HashKeyRange: { StartingHashKey: String(from), EndingHashKey: String(to) },
    SequenceNumberRange: { StartingSequenceNumber: '1' },
  });
  const store = ({ stream, records, answer }: ServedRequest, response: ServerResponse): void => {
    answer(
      response,
      records.map(({ data, ...keys }) => {
        fake.records.push({ stream, ...keys, data, text: data.toString() });
        const ShardId = id(
          hashKeyOf({ ...keys, explicitHashKey: keys.explicitHashKey as string }) < HALF ? 0 : 1,
        );
        return { ShardId, SequenceNumber: `4967${String(++sequence).padStart(52, '0')}` };
      }),
    );
  };
  const held: (() => void)[] = [];
  const put = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = await servedRequest(request);
    switch (fake.mode) {
      case 'serve':
        return store(asked, response);
      case 'fail':
        response.writeHead(500, { 'content-type': 'application/x-amz-json-1.1' });
        response.end('{"__type":"InternalFailure"}');
        return;
      case 'deny':
        return refuse(response, 'AccessDeniedException', 'not authorized to perform kinesis:PutRecords');
      case 'refuse':
        return refuse(response, 'ValidationException', "Value at 'streamName' failed to satisfy constraint");
      case 'hang':
        held.push(() => store(asked, response));
        return;
      default: {
        const never: never = fake.mode;
        throw new Error(never);
      }
    }
  };
  const describe = async (
    operation: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    const input = (await jsonBody(request)) as Readonly<Record<string, unknown>>;
    fake.asked.push({ operation, input });
    const answers: Record<string, object> = {
      DescribeStream: {
        StreamDescription: {
          StreamName: input.StreamName,
          StreamStatus: 'ACTIVE',
          Shards: fake.shards,
          HasMoreShards: false,
          StreamCreationTimestamp: 1_700_000_000.5,
        },
      },
      DescribeStreamSummary: {
        StreamDescriptionSummary: {
          StreamName: input.StreamName,
          StreamStatus: 'ACTIVE',
          OpenShardCount: 2,
          StreamCreationTimestamp: 1_700_000_000.5,
        },
      },
      ListShards:
        input.NextToken === undefined
          ? { Shards: fake.shards.slice(0, 1), NextToken: 'more shards' }
          : { Shards: fake.shards.slice(1) },
    };
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(answers[operation] ?? {}));
  };
  const server = createServer((request, response) => {
    const operation = String(request.headers['x-amz-target']).replace('Kinesis_20131202.', '');
    const done = operation === 'PutRecords' ? put(request, response) : describe(operation, request, response);
    done.catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let mode: Mode = 'serve';
  const fake: FakeKinesis = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get mode() {
      return mode;
    },
    set mode(next) {
      mode = next;
      if (next === 'serve') for (const serve of held.splice(0)) serve();
    },
    records: [],
    asked: [],
    shards: [shard(0, 0n, HALF - 1n), shard(1, HALF, LAST)],
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return fake;
}

function refuse(response: ServerResponse, type: string, message: string): void {
  response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
  response.end(JSON.stringify({ __type: type, message }));
}
