import { CONNREFUSED, NODATA, NOTFOUND } from 'node:dns';
import type { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { HostLookupError } from './errors.ts';
import type { HostsFile } from './hosts-file.ts';
import type { RenewingResolver } from './renewing-resolver.ts';
import type { SystemLookup } from './system-lookup.ts';

export interface HostAddressesOptions {
  readonly resolver: RenewingResolver;
  readonly hosts: HostsFile;
  /** For names that DNS does not know: search lists, mDNS, and whatever else a system has. */
  readonly system: SystemLookup;
  /** Families that this machine has addresses of. */
  readonly families: () => readonly (4 | 6)[];
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Addresses are asked for again after this time at the latest, whatever their TTL. */
const LONGEST_MS = 60_000;
const SHORTEST_MS = 1_000;
/** RFC 8767, "Serving stale data", section 5: old addresses for up to three days; 1 day is at the lower end. */
const STALE_FOR_MS = 24 * 60 * 60_000;
/** The same: no new question within 30 s of one that failed, while there are old addresses. */
const RETRY_MS = 30_000;
/** How long to wait for an answer while there are old addresses. (The same says 1.8 s; a connection is made within 3 s here.) */
const STALE_AFTER_MS = 1_000;
/** The system does not say how long its answers hold. */
const SYSTEM_TTL_MS = 10_000;
/** A process knows a handful of hosts. */
const MOST_HOSTS = 1_000;

interface Known {
  readonly addresses: readonly string[];
  freshUntilMs: number;
  readonly staleUntilMs: number;
  /** DNS did not know them. */
  readonly isSystems: boolean;
}

/**
 * The addresses of hosts, by DNS questions over sockets. Node's own `dns.lookup` calls getaddrinfo in one of the few threads
 * that also sync files, and does not come back while a resolver is silent: four lookups that hang would hold back the sync
 * that was to acknowledge a record. What was once known is used while no resolver answers.
 */
export class HostAddresses {
  readonly #options: HostAddressesOptions;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<readonly string[]>>();

  constructor(options: HostAddressesOptions) {
    this.#options = options;
  }

  /** @throws HostLookupError */
  async of(name: string): Promise<readonly string[]> {
    const host = name.toLowerCase();
    if (isIP(host) !== 0) return [host];
    const local = this.#options.hosts.addressesOf(host);
    if (local.length > 0) return local;
    if (isLocalhost(host)) return ['127.0.0.1', '::1'];
    const known = this.#usable(host);
    if (known === undefined) return this.#asked(host);
    if (this.#options.now() < known.freshUntilMs) return known.addresses;
    return this.#askedOrStale(host, known);
  }

  async #askedOrStale(host: string, known: Known): Promise<readonly string[]> {
    const late = Promise.withResolvers<readonly string[]>();
    const timer = setTimeout(() => late.resolve(known.addresses), STALE_AFTER_MS);
    try {
      return await Promise.race([this.#asked(host), late.promise]);
    } catch {
      return known.addresses;
    } finally {
      clearTimeout(timer);
    }
  }

  /** One question at a time for each host. */
  #asked(host: string): Promise<readonly string[]> {
    const asking = this.#asking.get(host);
    if (asking !== undefined) return asking;
    const asked = this.#ask(host).finally(() => this.#asking.delete(host));
    this.#asking.set(host, asked);
    // Whoever asked may be content with old addresses by then.
    asked.catch(() => {});
    return asked;
  }

  async #ask(host: string): Promise<readonly string[]> {
    let problem: unknown;
    const found = await this.#options.resolver.query({
      ask: async (resolver) => {
        try {
          return await this.#resolved(resolver, host);
        } catch (error) {
          problem = error;
          throw error;
        }
      },
    });
    if (found !== undefined) return this.#keep(host, { ...found, isSystems: false });
    const known = this.#usable(host);
    // Where DNS did know the host, that it does not any more is part of an outage, or the connection will tell.
    if (answersAtOnce.has(codeOf(problem)) && known?.isSystems !== false) {
      try {
        const addresses = await this.#options.system.addressesOf(host);
        return this.#keep(host, { addresses, ttlMs: SYSTEM_TTL_MS, isSystems: true });
      } catch (error) {
        if (known === undefined) throw error;
      }
    }
    if (known === undefined) {
      const why = problem instanceof Error ? problem.message : 'no DNS server answered';
      throw new HostLookupError(host, { code: 'EAI_AGAIN', why });
    }
    known.freshUntilMs = this.#options.now() + RETRY_MS;
    return known.addresses;
  }

  #usable(host: string): Known | undefined {
    const known = this.#known.get(host);
    return known !== undefined && this.#options.now() < known.staleUntilMs ? known : undefined;
  }

  async #resolved(resolver: Resolver, host: string): Promise<Found> {
    const families = this.#options.families();
    const answers = await Promise.allSettled(
      families.map((family) =>
        family === 4 ? resolver.resolve4(host, { ttl: true }) : resolver.resolve6(host, { ttl: true }),
      ),
    );
    const records = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (records.length > 0) {
      const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1000;
      return { addresses: records.map(({ address }) => address), ttlMs };
    }
    const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    // A family that the host does not have says nothing if the other one could not be asked for.
    throw reasons.find((reason) => !answersAtOnce.has(codeOf(reason))) ?? reasons[0];
  }

  #keep(host: string, { addresses, ttlMs, isSystems }: Found & Pick<Known, 'isSystems'>): readonly string[] {
    const nowMs = this.#options.now();
    const freshForMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ttlMs));
    if (this.#known.size >= MOST_HOSTS) this.#known.delete(this.#known.keys().next().value as string);
    this.#known.delete(host);
    this.#known.set(host, {
      addresses,
      isSystems,
      freshUntilMs: nowMs + freshForMs,
      staleUntilMs: nowMs + freshForMs + STALE_FOR_MS,
    });
    return addresses;
  }
}

interface Found {
  readonly addresses: readonly string[];
  readonly ttlMs: number;
}

/** DNS has answered that it knows no such host, or there is no server. The system's own lookup then does not wait long. */
const answersAtOnce: ReadonlySet<string> = new Set([NOTFOUND, NODATA, CONNREFUSED]);

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | undefined)?.code);

/** RFC 6761, section 6.3: names below localhost are loopback, and nobody is asked. */
const isLocalhost = (host: string): boolean => /(?:^|\.)localhost\.?$/.test(host);
