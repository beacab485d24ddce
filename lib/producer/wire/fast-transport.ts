import type { Pool } from 'undici';
import type { Limits, ProducerOptions } from '../options.ts';
import { EXPIRED_TOKEN, type OutgoingBatch, type RecordResult, type Transport } from '../transport.ts';
import { BodyBuffers } from './body-buffers.ts';
import { ClockOffset } from './clock-offset.ts';
import { Credentials } from './credentials.ts';
import { type EncodingName, encodingOf, encodings } from './encodings.ts';
import { endpointOf } from './endpoint.ts';
import { ServiceError } from './errors.ts';
import { connectionsTo, exchange } from './exchange.ts';
import { serviceError } from './service-error.ts';
import { Signer } from './signer.ts';

interface RegionLink {
  readonly pool: Pool;
  readonly signer: Signer;
  readonly host: string;
  readonly path: string;
  encoding: EncodingName;
}

const HTTP_OK = 200;
const DEFAULT_ENCODING = 'cbor' satisfies EncodingName;
/** What an endpoint that does not know CBOR may say to it, by the names of AWS and by status. */
const maybeNotUnderstood = new Set([
  'SerializationException',
  'UnknownOperationException',
  'ValidationException',
  'InvalidArgumentException',
  'MissingParameter',
  'Http400',
  'Http404',
  'Http415',
]);

/**
 * PutRecords without the SDK's client: keep-alive connections of undici, one pool per region, bodies written and answers
 * read by hand. One attempt per call, as with sdkTransport; the errors are the same.
 *
 * Requests are in CBOR unless `encoding` says otherwise. What an endpoint refuses in a way that may be due to that is sent
 * as JSON at once, and when it takes that, it gets JSON from then on: so at most one request more for each refused one,
 * and a record is never given up for the form that it was sent in.
 */
export function fastTransport(
  options: Pick<ProducerOptions, 'endpoint' | 'credentials' | 'encoding'>,
  limits: Pick<Limits, 'maxInFlight' | 'requestTimeoutMs'>,
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
        signer: new Signer(region),
        host: url.host,
        path: url.pathname,
        encoding: options.encoding ?? DEFAULT_ENCODING,
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
    const { buffer, bytes: body } = write({ stream, records }, buffers);
    const identity = await credentials.current();
    const unsigned = { host, path, body, contentType };
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
      const link = linkOf(batch.region);
      const { encoding } = link;
      try {
        return await sendAs(encoding, batch);
      } catch (error) {
        if (encoding === 'json' || !(error instanceof ServiceError) || !maybeNotUnderstood.has(error.name)) {
          throw error;
        }
        const results = await sendAs('json', batch);
        link.encoding = 'json';
        return results;
      }
    },
    close: () => {
      credentials.close();
      for (const { pool } of links.values()) void pool.destroy();
    },
  };
}
