import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { RecordFailure } from './errors.ts';
import type { Limits, ProducerOptions } from './options.ts';
import type { OutgoingRecord } from './record.ts';
import { resultsOf } from './wire/put-records-answer.ts';
import { measured } from './wire/request-body.ts';
import { translatedSdkError } from './wire/sdk-error.ts';

export type { OutgoingRecord } from './record.ts';

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
  limits: Pick<Limits, 'maxInFlight' | 'requestTimeoutMs'>,
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
      measured({ stream, records });
      const command = new PutRecordsCommand({
        StreamName: stream,
        Records: records.map(({ partitionKey, data, explicitHashKey }) =>
          explicitHashKey === undefined
            ? { PartitionKey: partitionKey, Data: data }
            : { PartitionKey: partitionKey, Data: data, ExplicitHashKey: explicitHashKey },
        ),
      });
      // Bounds the body as well, which the handler's time-outs do not.
      const abortSignal = AbortSignal.timeout(limits.requestTimeoutMs);
      try {
        const { Records } = await clientOf(region).send(command, { abortSignal });
        return resultsOf(Records, records.length);
      } catch (error) {
        throw translatedSdkError(error, limits.requestTimeoutMs);
      }
    },
    close: () => {
      for (const client of clients.values()) client.destroy();
    },
  };
}
