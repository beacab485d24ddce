import type { Pool } from 'undici';
import type { Limits, ProducerOptions } from '../options.ts';
import { EXPIRED_TOKEN } from '../sdk-transport.ts';
import type { OutgoingBatch, RecordResult, Transport } from '../transport.ts';
import { BodyBuffers } from './body-buffers.ts';
import { ClockOffset } from './clock-offset.ts';
import { Credentials } from './credentials.ts';
import { encoded } from './culprits.ts';
import { EncodingChoice } from './encoding-choice.ts';
import { type EncodingName, encodingOf, encodings } from './encodings.ts';
import { endpointOf } from './endpoint.ts';
import { connectionsTo, exchange } from './exchange.ts';
import { serviceError } from './service-error.ts';
import { Signer } from './signer.ts';

interface RegionLink {
  readonly pool: Pool;
  readonly signer: Signer;
  readonly host: string;
  readonly path: string;
  readonly choice: EncodingChoice;
}

const HTTP_OK = 200;
export const PUT_RECORDS = 'Kinesis_20131202.PutRecords';
/**
 * Sends PutRecords without the SDK's client: over keep-alive connections of undici, with one pool per region
 * and hand-written bodies and parsers. One attempt per call, as with sdkTransport; the errors are the same.
 *
 * Requests are in CBOR unless `encoding` says otherwise. A request that may have failed because of CBOR is
 * immediately sent again as JSON, by the rules of `EncodingChoice`. Like any retry, this may write records
 * twice.
 */
export function fastTransport(
  options: Pick<ProducerOptions, 'endpoint' | 'credentials' | 'encoding'>,
  limits: Pick<Limits, 'maxInFlight' | 'requestTimeoutMs'>,
  /** Monotonic milliseconds. */
  now: () => number = () => performance.now(),
): Transport {
  const timeoutMs = limits.requestTimeoutMs;
  const clock = new ClockOffset();
  const credentials = new Credentials({ source: options.credentials, now: () => clock.now() });
  const buffers = new BodyBuffers({ keep: limits.maxInFlight });
  const links = new Map<string, RegionLink>();

  const linkOf = (region: string): RegionLink => {
    let link = links.get(region);
    if (link === undefined) {
      const url = endpointOf(region, options.endpoint);
      link = {
        pool: connectionsTo(url.origin, { connections: limits.maxInFlight, timeoutMs }),
        signer: new Signer({ region, service: 'kinesis' }),
        host: url.host,
        path: url.pathname,
        choice: new EncodingChoice(now),
      };
      links.set(region, link);
    }
    return link;
  };

  const sendAs = async (
    encoding: EncodingName,
    { region, stream, records }: OutgoingBatch,
  ): Promise<readonly RecordResult[]> => {
    const { pool, signer, host, path } = linkOf(region);
    const { contentType, write } = encodings[encoding];
    const { buffer, bytes: body } = encoded({ stream, records }, (batch) => write(batch, buffers));
    const identity = await credentials.current();
    const unsigned = { host, path, body, contentType, target: PUT_RECORDS };
    const headers = await signer.headers(unsigned, { identity, nowMs: clock.now() });
    const answer = await exchange(pool, { path, headers, body }, timeoutMs);
    if (answer.status === HTTP_OK) {
      const { results } = encodingOf(answer.headers['content-type']);
      const decoded = results(answer.body, { region, count: records.length });
      buffers.give(buffer);
      return decoded;
    }
    const error = serviceError(answer);
    if (error.name === EXPIRED_TOKEN) credentials.reject(identity);
    clock.learn(answer.headers.date);
    throw error;
  };

  return {
    send: async (batch: OutgoingBatch): Promise<readonly RecordResult[]> => {
      const { choice } = linkOf(batch.region);
      if (options.encoding === 'json' || choice.current === 'json') return sendAs('json', batch);
      try {
        const results = await sendAs('cbor', batch);
        choice.cborWorked();
        return results;
      } catch (error) {
        if (!choice.isDoubtful(error)) throw error;
      }
      const results = await sendAs('json', batch);
      choice.jsonWorked();
      return results;
    },
    close: () => {
      credentials.close();
      for (const { pool } of links.values()) void pool.destroy();
    },
  };
}
