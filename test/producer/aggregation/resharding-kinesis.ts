import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeApart } from '../../../lib/consumer/index.ts';
import { contentTypes, type ParsedRecord, servedRequest } from '../sink/put-records.ts';
import { type RingShard, ShardRing } from '../sink/shard-ring.ts';

/** A record of Kinesis in the stream. */
export interface Stored extends ParsedRecord {
  readonly shard: RingShard;
  readonly sequenceNumber: string;
}

const NOT_FOUND =
  '{"__type":"ResourceNotFoundException","message":"Stream orders under account 000000000000 not found."}';

/** Kinesis on a socket, whose shards can be split and merged while it serves. */
export class ReshardingKinesis {
  ring: ShardRing;
  readonly stored: Stored[] = [];
  /** Records of each PutRecords. */
  readonly requests: number[] = [];
  listings = 0;
  delayMs = 0;
  listDelayMs = 0;
  /** Answers to ListShards in place of the shards. */
  listing: 'served' | 'refused' | 'old' = 'served';
  isFailing = false;
  /** There is no stream of this name. */
  isGone = false;
  /** As a stream with service-managed distribution: the shard has nothing to do with the key. */
  ignoresKeys = false;
  refuses: (shard: RingShard) => boolean = () => false;
  #old: readonly object[];
  readonly #server = createServer((request, response) => {
    const isList = request.headers['x-amz-target'] === 'Kinesis_20131202.ListShards';
    (isList ? this.#list(request, response) : this.#put(request, response)).catch(() =>
      request.socket.destroy(),
    );
  });

  constructor(shards: number) {
    this.ring = new ShardRing(shards);
    this.#old = this.ring.listed();
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The user records that a KCL application is given, shard after shard, in their order: it drops some aggregates. */
  seenByKcl(): readonly { readonly partitionKey: string; readonly text: string }[] {
    return this.stored.flatMap(({ partitionKey, data, sequenceNumber, shard }) =>
      takeApart(
        { PartitionKey: partitionKey, Data: data, SequenceNumber: sequenceNumber },
        { hashKeyRange: { StartingHashKey: `${shard.first}`, EndingHashKey: `${shard.last}` } },
      ).flatMap((record) => {
        if (record.droppedByKcl) return [];
        if (!('data' in record) || record.data === undefined) throw new Error('a damaged aggregate');
        return [{ partitionKey: record.partitionKey, text: Buffer.from(record.data).toString() }];
      }),
    );
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #anyShard(): RingShard {
    const { open } = this.ring;
    return open[this.stored.length % open.length] as RingShard;
  }

  async #list(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await buffer(request);
    this.listings++;
    const { listing } = this;
    if (this.listDelayMs > 0) await sleep(this.listDelayMs);
    response.setHeader('content-type', contentTypes.json);
    if (this.isGone) response.writeHead(400).end(NOT_FOUND);
    else if (listing === 'refused')
      response.writeHead(400).end('{"__type":"AccessDeniedException","message":"no"}');
    else response.end(JSON.stringify({ Shards: listing === 'old' ? this.#old : this.ring.listed() }));
  }

  async #put(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const served = await servedRequest(request);
    if (this.delayMs > 0) await sleep(this.delayMs);
    if (this.isFailing) {
      response.writeHead(500).end('{"__type":"InternalFailure"}');
      return;
    }
    if (this.isGone) {
      response.setHeader('content-type', contentTypes.json);
      response.writeHead(400).end(NOT_FOUND);
      return;
    }
    this.requests.push(served.records.length);
    const entries = served.records.map((record) => {
      const shard = this.ignoresKeys ? this.#anyShard() : this.ring.shardOf(record);
      if (this.refuses(shard)) {
        const ErrorMessage = `Rate exceeded for shard ${shard.id} in stream orders under account 000000000000.`;
        return { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage };
      }
      const sequenceNumber = String(this.stored.length + 1);
      this.stored.push({ ...record, shard, sequenceNumber });
      return { ShardId: shard.id, SequenceNumber: sequenceNumber };
    });
    served.answer(response, entries);
  }
}
