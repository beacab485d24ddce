import type { Pool } from 'undici';
import { kinesisEndpoint } from './endpoint.ts';
import { connectionsTo } from './exchange.ts';
import type { Identity } from './identity.ts';
import type { Network } from './network.ts';

/** Kinesis in one region, as one account's requests reach it. */
export interface RegionLink {
  readonly url: URL;
  readonly pool: Pool;
}

export interface RegionLinksOptions {
  readonly endpoint: ((region: string) => string | undefined) | undefined;
  readonly connections: number;
  readonly timeoutMs: number;
  readonly network: Network;
}

interface Place {
  readonly region: string;
  readonly streamArn?: string | undefined;
}

interface Known {
  readonly streamArn: string | undefined;
  readonly accountId: string | undefined;
  readonly link: Promise<RegionLink>;
}

/** The connections to each region: one set at a time, to the host that the SDK's client would ask. */
export class RegionLinks {
  readonly #options: RegionLinksOptions;
  readonly #known = new Map<string, Known>();
  #isClosed = false;

  constructor(options: RegionLinksOptions) {
    this.#options = options;
  }

  /** @throws EndpointError */
  to(place: Place, identity: Identity): Promise<RegionLink> {
    const known = this.#known.get(place.region);
    if (
      known !== undefined &&
      known.streamArn === place.streamArn &&
      known.accountId === accountOf(identity)
    ) {
      return known.link;
    }
    const link = this.#linked(place, { identity, before: known?.link });
    const next = { streamArn: place.streamArn, accountId: accountOf(identity), link };
    this.#known.set(place.region, next);
    // What was wrong may be corrected: the next request asks again.
    link.catch(() => {
      if (this.#known.get(place.region) === next) this.#known.delete(place.region);
    });
    return link;
  }

  close(): void {
    this.#isClosed = true;
    for (const { link } of this.#known.values()) {
      link.then(
        ({ pool }) => pool.destroy(),
        () => {},
      );
    }
  }

  async #linked(
    { region, streamArn }: Place,
    { identity, before }: { readonly identity: Identity; readonly before: Promise<RegionLink> | undefined },
  ): Promise<RegionLink> {
    const endpoint = this.#options.endpoint?.(region);
    const url = await kinesisEndpoint({ region, endpoint, streamArn, identity });
    const old = await before?.catch(() => undefined);
    if (old?.url.href === url.href) return old;
    // Requests that are on their way end undisturbed.
    if (old !== undefined) void old.pool.close();
    if (this.#isClosed) throw new Error('The transport was closed.');
    return { url, pool: connectionsTo(url.origin, this.#options) };
  }
}

const accountOf = ({ accountId }: Identity): string | undefined => accountId;
