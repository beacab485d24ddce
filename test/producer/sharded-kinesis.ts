import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { servedRequest } from './sink/put-records.ts';

export interface Arrival {
  readonly key: string;
  readonly data: string;
  readonly shard: number;
}

const SHARDS = 4;

/** The shard of a key, of four that share the hash keys evenly. */
export const shardOf = (key: string): number =>
  ((createHash('md5').update(key).digest()[0] as number) * SHARDS) >> 8;

/** Kinesis on a socket, with four shards. `refuses` is asked for each record, in order. */
export class ShardedKinesis {
  readonly arrivals: Arrival[] = [];
  delayMs = 0;
  isFailing = false;
  /** Requests with a record of this key are never answered. */
  hangsOn: string | undefined;
  refuses: (shard: number) => boolean = () => false;
  /** Records of this key fail, as in a shard that is sick. */
  failsOn: string | undefined;
  readonly #server = createServer(async (request, response) => {
    const served = await servedRequest(request);
    if (this.delayMs > 0) await sleep(this.delayMs);
    if (served.records.some(({ partitionKey }) => partitionKey === this.hangsOn)) return undefined;
    if (this.isFailing) return response.writeHead(500).end('{"__type":"InternalFailure"}');
    const entries = served.records.map(({ partitionKey: key, data }) => {
      const shard = shardOf(key);
      const ShardId = `shardId-00000000000${shard}`;
      if (key === this.failsOn)
        return { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure.' };
      if (this.refuses(shard)) {
        const ErrorMessage = `Rate exceeded for shard ${ShardId} in stream orders under account 000000000000.`;
        return { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage };
      }
      const SequenceNumber = `${this.arrivals.push({ key, data: data.toString(), shard })}`;
      return { ShardId, SequenceNumber };
    });
    served.answer(response, entries);
    return undefined;
  });

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  dataOf(key: string): readonly string[] {
    return this.arrivals.flatMap((one) => (one.key === key ? [one.data] : []));
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
