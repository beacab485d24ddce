import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { KinesisClient, PutRecordsCommand, type PutRecordsRequestEntry } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Limits, ProducerOptions } from './options.ts';
import type { OutgoingRecord } from './record.ts';
import type { Transport } from './transport.ts';
import { encoded } from './wire/culprits.ts';
import { resultsOf } from './wire/put-records-answer.ts';
import { measured } from './wire/request-body.ts';
import { translatedSdkError } from './wire/sdk-error.ts';

export type { OutgoingRecord } from './record.ts';

type SdkOptions = Pick<ProducerOptions, 'endpoint' | 'credentials'>;
type SdkLimits = Pick<Limits, 'maxInFlight' | 'requestTimeoutMs'>;

/**
 * One keep-alive client per region, over HTTP/1.1: the SDK's default handler for Kinesis opens a new TLS session for
 * each call. One attempt: the producer retries by itself, to the region that is right by then.
 */
export function sdkTransport(options: SdkOptions, limits: SdkLimits): Transport {
  const clients = new Map<string, KinesisClient>();
  const handler = keepAliveHandler(limits);
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
    send: async ({ region, stream, records }) => {
      encoded({ stream, records }, measured);
      const client = clientOf(region);
      const command = new PutRecordsCommand({ StreamName: stream, Records: records.map(entryOf) });
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
    close: () => handler.destroy(),
  };
}

/** The service's exception for a session token that it no longer takes (Kinesis API Reference, Common Errors). */
export const EXPIRED_TOKEN = 'ExpiredTokenException';

/** `maxSockets` of an agent counts per host, that is per region. */
function keepAliveHandler({ maxInFlight, requestTimeoutMs }: SdkLimits): NodeHttpHandler {
  const agent = { keepAlive: true, maxSockets: maxInFlight };
  return new NodeHttpHandler({
    httpAgent: new HttpAgent(agent),
    httpsAgent: new HttpsAgent(agent),
    connectionTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    throwOnRequestTimeout: true,
  });
}

function entryOf({ partitionKey, data, explicitHashKey }: OutgoingRecord): PutRecordsRequestEntry {
  const entry = { PartitionKey: partitionKey, Data: data };
  return explicitHashKey === undefined ? entry : { ...entry, ExplicitHashKey: explicitHashKey };
}
