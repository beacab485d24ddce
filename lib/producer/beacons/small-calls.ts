import type { Pool } from 'undici';
import type { ProducerOptions } from '../options.ts';
import { EXPIRED_TOKEN } from '../sdk-transport.ts';
import { ClockOffset } from '../wire/clock-offset.ts';
import { Credentials } from '../wire/credentials.ts';
import { siblingEndpoint } from '../wire/endpoint.ts';
import { ServiceError } from '../wire/errors.ts';
import { connectionsTo, exchange, type HttpAnswer } from '../wire/exchange.ts';
import { type Network, networkOf } from '../wire/network.ts';
import { serviceError } from '../wire/service-error.ts';
import { type SignedFor, Signer } from '../wire/signer.ts';
import { type BeaconOptions, endpointOf } from './beacon-options.ts';

/** Longest wait for one call, without the wait for credentials. */
export const BEACON_TIMEOUT_MS = 3_000;
const MOST_CONNECTIONS = 8;
const HTTP_OK = 200;
const MOST_MESSAGE_CHARACTERS = 1_000;

type Service = Exclude<SignedFor['service'], 'kinesis'>;

export interface SmallCall {
  readonly service: Service;
  readonly target?: string;
  readonly contentType: string;
  readonly body: string;
}

export interface SmallCallsOptions extends Network {
  readonly region: string;
  readonly endpoint?: BeaconOptions['endpoint'];
  readonly credentials: ProducerOptions['credentials'];
}

interface Link {
  readonly url: URL;
  readonly pool: Pool;
  readonly signer: Signer;
}

/** Signed calls of other services of one region, over connections of their own. One attempt each. */
export class SmallCalls {
  readonly #options: SmallCallsOptions;
  readonly #clock = new ClockOffset();
  readonly #credentials: Credentials;
  readonly #network: Network;
  readonly #links = new Map<Service, Promise<Link>>();
  #isClosed = false;

  constructor(options: SmallCallsOptions) {
    this.#options = options;
    this.#network = networkOf(options);
    this.#credentials = new Credentials({
      source: options.credentials,
      network: this.#network,
      now: () => this.#clock.now(),
    });
  }

  /** The body of the answer. @throws the errors of the producer’s own transport */
  async send({ service, body: text, ...head }: SmallCall): Promise<string> {
    const identity = await this.#credentials.current();
    if (this.#isClosed) throw new Error('The producer was closed.');
    const { url, pool, signer } = await this.#linkTo(service);
    const body = Buffer.from(text);
    const unsigned = { host: url.host, path: url.pathname, body, ...head };
    const headers = await signer.headers(unsigned, { identity, nowMs: this.#clock.now() });
    const answer = await exchange(pool, { path: url.pathname, headers, body }, BEACON_TIMEOUT_MS);
    if (answer.status === HTTP_OK) return answer.body.toString();
    const error = errorOf(answer);
    if (expiredNames.has(error.name)) this.#credentials.reject(identity);
    this.#clock.learn(answer.headers.date);
    throw error;
  }

  close(): void {
    this.#isClosed = true;
    this.#credentials.close();
    for (const link of this.#links.values()) {
      link.then(
        ({ pool }) => pool.destroy(),
        () => {},
      );
    }
  }

  #linkTo(service: Service): Promise<Link> {
    const known = this.#links.get(service);
    if (known !== undefined) return known;
    const link = this.#linked(service);
    this.#links.set(service, link);
    // What was wrong may be corrected: the next call asks again.
    link.catch(() => this.#links.delete(service));
    return link;
  }

  async #linked(service: Service): Promise<Link> {
    const { region, endpoint } = this.#options;
    const url = await siblingEndpoint(region, service, endpointOf(endpoint, service));
    if (this.#isClosed) throw new Error('The producer was closed.');
    return {
      url,
      pool: connectionsTo(url.origin, {
        connections: MOST_CONNECTIONS,
        timeoutMs: BEACON_TIMEOUT_MS,
        network: this.#network,
      }),
      signer: new Signer({ region, service }),
    };
  }
}

/** STS has a name of its own for a token that has expired ("Common errors", STS API Reference). */
const expiredNames: ReadonlySet<string> = new Set([EXPIRED_TOKEN, 'ExpiredToken']);

/** The error in an answer: JSON, or the XML of STS. */
function errorOf(answer: HttpAnswer): ServiceError {
  const found = serviceError(answer);
  const text = answer.body.toString();
  const [, name] = /<Code>(\w+)<\/Code>/.exec(text) ?? [];
  if (name === undefined) return found;
  const [, message = found.message] = /<Message>([^<]*)<\/Message>/.exec(text) ?? [];
  const { status, requestId } = found;
  return new ServiceError(message.slice(0, MOST_MESSAGE_CHARACTERS), { name, status, requestId });
}
