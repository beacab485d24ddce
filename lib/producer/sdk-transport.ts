import {
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  type PutRecordsRequestEntry,
} from '@aws-sdk/client-kinesis';
import type { Limits, ProducerOptions } from './options.ts';
import type { OutgoingRecord } from './record.ts';
import type { Transport } from './transport.ts';
import { encoded } from './wire/culprits.ts';
import { listedShards } from './wire/list-shards.ts';
import { networkOf } from './wire/network.ts';
import { resultsOf } from './wire/put-records-answer.ts';
import { measured } from './wire/request-body.ts';
import { translatedSdkError } from './wire/sdk-error.ts';
import { sdkHandler } from './wire/sdk-handler.ts';

export type { OutgoingRecord } from './record.ts';

type SdkOptions = Pick<ProducerOptions, 'endpoint' | 'credentials' | 'proxy' | 'lookup'>;
type SdkLimits = Pick<Limits, 'maxInFlight' | 'requestTimeoutMs'>;

/**
 * One client per region. One attempt: the producer retries by itself, to the region that is right by then.
 */
export function sdkTransport(options: SdkOptions, limits: SdkLimits): Transport {
  const clients = new Map<string, KinesisClient>();
  const { maxInFlight: maxSockets, requestTimeoutMs: timeoutMs } = limits;
  const handler = sdkHandler({ maxSockets, timeoutMs, network: networkOf(options) });
  const clientOf = (region: string): KinesisClient => {
    let client = clients.get(region);
    if (client === undefined) {
      const endpoint = options.endpoint?.(region);
      client = new KinesisClient({
        region,
        maxAttempts: 1,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
        requestHandler: handler,
      });
      clients.set(region, client);
    }
    return client;
  };
  return {
    send: async ({ region, stream, streamArn, records }) => {
      encoded({ stream, streamArn, records }, measured);
      const client = clientOf(region);
      const named = streamArn === undefined ? { StreamName: stream } : { StreamARN: streamArn };
      const command = new PutRecordsCommand({ ...named, Records: records.map(entryOf) });
      // Bounds the body as well; the handler's time-outs do not.
      const abortSignal = AbortSignal.timeout(limits.requestTimeoutMs);
      try {
        const { Records } = await client.send(command, { abortSignal });
        return resultsOf(Records, { region, count: records.length });
      } catch (cause) {
        const error = translatedSdkError(cause, { region, timeoutMs: limits.requestTimeoutMs });
        // A client keeps its identity until the date on which that identity expires. A new client asks the
        // provider again. Both share the handler's connections, and requests of the old client finish
        // undisturbed.
        if (error.name === EXPIRED_TOKEN && clients.get(region) === client) clients.delete(region);
        throw error;
      }
    },
    listShards: (stream) =>
      listedShards(stream, async (input) => {
        const abortSignal = AbortSignal.timeout(limits.requestTimeoutMs);
        return { ...(await clientOf(stream.region).send(new ListShardsCommand(input), { abortSignal })) };
      }),
    close: () => handler.destroy(),
  };
}

/** The service's exception for a session token that it no longer takes (Kinesis API Reference, Common Errors). */
export const EXPIRED_TOKEN = 'ExpiredTokenException';

function entryOf({ partitionKey, data, explicitHashKey }: OutgoingRecord): PutRecordsRequestEntry {
  const entry = { PartitionKey: partitionKey, Data: data };
  return explicitHashKey === undefined ? entry : { ...entry, ExplicitHashKey: explicitHashKey };
}
