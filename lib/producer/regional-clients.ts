import { KinesisClient } from '@aws-sdk/client-kinesis';
import { guarded, refuse } from './option-rules.ts';

export interface RegionalClientsOptions {
  readonly endpoint?: ((region: string) => string | undefined) | undefined;
  readonly createClient?: ((region: string) => KinesisClient) | undefined;
}

/** Clients for each region, created on first use with the settings of the application's own client. */
export class RegionalClients {
  readonly #original: KinesisClient;
  readonly #options: RegionalClientsOptions;
  readonly #clients = new Map<string, KinesisClient>();

  constructor(original: KinesisClient, options: RegionalClientsOptions) {
    this.#original = original;
    this.#options = options;
  }

  of(region: string): KinesisClient {
    let client = this.#clients.get(region);
    if (client === undefined) {
      client = this.#created(region) ?? this.#like(region);
      this.#clients.set(region, client);
    }
    return client;
  }

  close(): void {
    // Clients made here share the request handler of the original, which its owner has to destroy.
    if (this.#options.createClient === undefined) return;
    for (const client of this.#clients.values()) client.destroy();
  }

  /** @throws ProducerConfigError */
  #created(region: string): KinesisClient | undefined {
    const { createClient } = this.#options;
    if (createClient === undefined) return undefined;
    const name = `The client that \`createClient\` made for ${region}`;
    return guarded(name, () => {
      const client = createClient(region);
      if (typeof client?.send !== 'function') refuse(name, 'a KinesisClient', client);
      return client;
    });
  }

  /**
   * A client like the original, without its retry strategy: an outage of one region would empty the budget of
   * retries for the other.
   */
  #like(region: string): KinesisClient {
    const { config } = this.#original;
    const endpoint = this.#options.endpoint?.(region);
    return new KinesisClient({
      region,
      credentials: config.credentials,
      requestHandler: config.requestHandler,
      maxAttempts: config.maxAttempts,
      retryMode: config.retryMode,
      useFipsEndpoint: config.useFipsEndpoint,
      useDualstackEndpoint: config.useDualstackEndpoint,
      accountIdEndpointMode: config.accountIdEndpointMode,
      ...(endpoint === undefined ? {} : { endpoint }),
    });
  }
}
