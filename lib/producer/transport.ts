import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { RecordFailure } from './errors.ts';
import type { Limits, ProducerOptions } from './options.ts';

export interface OutgoingRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

export type RecordResult =
  | { readonly ok: true; readonly shardId: string; readonly sequenceNumber: string }
  | { readonly ok: false; readonly error: RecordFailure };

export interface OutgoingBatch {
  readonly region: string;
  readonly stream: string;
  readonly records: readonly OutgoingRecord[];
}

/** Sends one batch once. Rejects when the request as a whole failed; else answers for each record, in their order. */
export interface Transport {
  send(batch: OutgoingBatch): Promise<readonly RecordResult[]>;
  close(): void;
}

/**
 * One keep-alive client per region, over HTTP/1.1: the SDK's default handler for Kinesis opens a new TLS session for
 * each call. One attempt: the producer retries by itself, to the region that is right by then.
 */
export function sdkTransport(
  options: Pick<ProducerOptions, 'endpoint' | 'credentials'>,
  limits: Limits,
): Transport {
  const clients = new Map<string, KinesisClient>();
  const clientOf = (region: string): KinesisClient => {
    let client = clients.get(region);
    if (client === undefined) {
      const agent = { keepAlive: true, maxSockets: limits.maxInFlight };
      const endpoint = options.endpoint?.(region);
      client = new KinesisClient({
        region,
        maxAttempts: 1,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
        requestHandler: new NodeHttpHandler({
          httpAgent: new HttpAgent(agent),
          httpsAgent: new HttpsAgent(agent),
          connectionTimeout: limits.requestTimeoutMs,
          requestTimeout: limits.requestTimeoutMs,
          throwOnRequestTimeout: true,
        }),
      });
      clients.set(region, client);
    }
    return client;
  };
  return {
    send: async ({ region, stream, records }) => {
      const command = new PutRecordsCommand({
        StreamName: stream,
        Records: records.map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: data })),
      });
      // Bounds the body as well, which the handler's time-outs do not.
      const abortSignal = AbortSignal.timeout(limits.requestTimeoutMs);
      const { Records = [] } = await clientOf(region).send(command, { abortSignal });
      return records.map((_, index) => resultOf(Records[index]));
    },
    close: () => {
      for (const client of clients.values()) client.destroy();
    },
  };
}

interface Entry {
  readonly ShardId?: string | undefined;
  readonly SequenceNumber?: string | undefined;
  readonly ErrorCode?: string | undefined;
  readonly ErrorMessage?: string | undefined;
}

/** Only a shard and a sequence number prove that a record is in the stream. */
function resultOf(entry: Entry | undefined): RecordResult {
  if (entry?.ShardId !== undefined && entry.SequenceNumber !== undefined) {
    return { ok: true, shardId: entry.ShardId, sequenceNumber: entry.SequenceNumber };
  }
  const code = entry?.ErrorCode ?? 'IncompleteAnswer';
  return { ok: false, error: new RecordFailure(code, entry?.ErrorMessage ?? 'no sequence number') };
}
