import type { Pool } from 'undici';
import type { ProducerOptions } from '../producer/options.ts';
import { Credentials } from '../producer/wire/credentials.ts';
import { kinesisEndpoint } from '../producer/wire/endpoint.ts';
import { connectionsTo, exchange, type HttpAnswer } from '../producer/wire/exchange.ts';
import { networkOf } from '../producer/wire/network.ts';
import { Signer } from '../producer/wire/signer.ts';
import { KinesisError } from './kinesis-error.ts';

export interface UpstreamOptions extends Pick<ProducerOptions, 'endpoint' | 'credentials' | 'proxy'> {
  readonly timeoutMs: number;
  /** At the same time, and waiting. */
  readonly maxRequests: number;
  readonly maxWaiting: number;
}

interface Link {
  readonly url: URL;
  readonly pool: Pool;
  readonly signer: Signer;
}

/** Calls of Kinesis other than puts, in JSON, signed with the sidecar's own credentials. */
export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #credentials: Credentials;
  readonly #links = new Map<string, Promise<Link>>();
  #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#credentials = new Credentials({ source: options.credentials, network: networkOf(options) });
  }

  /** One attempt: clients try again. @throws KinesisError when too many wait; errors of connection, time-out and credentials */
  async ask(region: string, target: string, document: object): Promise<HttpAnswer> {
    await this.#turn();
    try {
      return await this.#ask(region, target, document);
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  close(): void {
    this.#credentials.close();
    for (const link of this.#links.values()) void link.then(({ pool }) => pool.destroy()).catch(() => {});
  }

  async #turn(): Promise<void> {
    const { maxRequests, maxWaiting } = this.#options;
    if (this.#running >= maxRequests) {
      if (this.#waiting.length >= maxWaiting) {
        throw new KinesisError(
          'LimitExceededException',
          'Too many requests wait to be passed on: try again later.',
        );
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }

  async #ask(region: string, target: string, document: object): Promise<HttpAnswer> {
    const { url, pool, signer } = await this.#link(region);
    const body = Buffer.from(JSON.stringify(document));
    const unsigned = {
      host: url.host,
      path: url.pathname,
      body,
      contentType: 'application/x-amz-json-1.1',
      target,
    };
    const identity = await this.#credentials.current();
    const headers = await signer.headers(unsigned, { identity, nowMs: Date.now() });
    const answer = await exchange(pool, { path: url.pathname, headers, body }, this.#options.timeoutMs);
    if (answer.body.includes('ExpiredTokenException')) this.#credentials.reject(identity);
    return answer;
  }

  #link(region: string): Promise<Link> {
    let link = this.#links.get(region);
    if (link === undefined) {
      link = this.#connect(region);
      // The settings may be right next time.
      link.catch(() => this.#links.delete(region));
      this.#links.set(region, link);
    }
    return link;
  }

  async #connect(region: string): Promise<Link> {
    const { endpoint, timeoutMs, maxRequests } = this.#options;
    const url = await kinesisEndpoint({ region, endpoint: endpoint?.(region) });
    const network = networkOf(this.#options);
    const pool = connectionsTo(url.origin, { connections: maxRequests, timeoutMs, network });
    return { url, pool, signer: new Signer({ region, service: 'kinesis' }) };
  }
}
