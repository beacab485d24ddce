import type { Pool } from 'undici';
import type { Limits, ProducerOptions } from '../options.ts';
import { EXPIRED_TOKEN, type OutgoingBatch, type RecordResult, type Transport } from '../transport.ts';
import { BodyBuffers } from './body-buffers.ts';
import { ClockOffset } from './clock-offset.ts';
import { Credentials } from './credentials.ts';
import { endpointOf } from './endpoint.ts';
import type { ServiceError } from './errors.ts';
import { connectionsTo, exchange } from './exchange.ts';
import { decodedResults } from './put-records-answer.ts';
import { measured, writeBody } from './request-body.ts';
import { serviceError } from './service-error.ts';
import { Signer } from './signer.ts';

interface RegionLink {
  readonly pool: Pool;
  readonly signer: Signer;
  readonly host: string;
  readonly path: string;
}

const HTTP_OK = 200;

/**
 * PutRecords without the SDK's client: keep-alive connections of undici, one pool per region, bodies written and answers
 * read by hand. One attempt per call, as with sdkTransport; the errors are the same.
 */
export function fastTransport(
  options: Pick<ProducerOptions, 'endpoint' | 'credentials'>,
  limits: Pick<Limits, 'maxInFlight' | 'requestTimeoutMs'>,
): Transport {
  const timeoutMs = limits.requestTimeoutMs;
  const credentials = new Credentials({ source: options.credentials, timeoutMs });
  const clock = new ClockOffset();
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
      };
      links.set(region, link);
    }
    return link;
  };

  return {
    send: async ({ region, stream, records }: OutgoingBatch): Promise<readonly RecordResult[]> => {
      const { pool, signer, host, path } = linkOf(region);
      const batch = measured({ stream, records });
      const identity = await credentials.current();
      const buffer = buffers.take(batch.length);
      const body = writeBody(batch, buffer);
      const headers = await signer.headers({ host, path, body }, { identity, nowMs: clock.now() });
      const answer = await exchange(pool, { path, headers, body }, timeoutMs);
      if (answer.status === HTTP_OK) {
        const results = decodedResults(answer.body, { region, count: records.length });
        buffers.give(buffer);
        return results;
      }
      const error: ServiceError = serviceError(answer);
      if (error.name === EXPIRED_TOKEN) credentials.reject(identity);
      clock.learn(answer.headers.date);
      throw error;
    },
    close: () => {
      for (const { pool } of links.values()) void pool.destroy();
    },
  };
}
