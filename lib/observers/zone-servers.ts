import { Resolver } from 'node:dns/promises';

const DNS_TIMEOUT_MS = 2_000;
const MAX_SERVERS = 4;

export interface ZoneQuestion {
  readonly zoneName: string;
  /** DNS servers as `address:port`. Absent: the zone's own. */
  readonly servers?: readonly string[] | undefined;
  /**
   * Finds the zone's own servers. Default: by the zone's NS records, which a resolver keeps for two days
   * after a question.
   */
  readonly findServers?: ((zoneName: string) => Promise<readonly string[]>) | undefined;
}

/**
 * A resolver that asks the zone's own name servers, which hold no answer from before. If they cannot be found, it asks the
 * system's: an answer some seconds old is better than none.
 */
export async function zoneResolver(question: ZoneQuestion): Promise<Resolver> {
  const { zoneName, findServers = (name: string) => nameServers(name) } = question;
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1, maxTimeout: DNS_TIMEOUT_MS });
  const servers = question.servers ?? (await findServers(zoneName).catch(() => []));
  if (servers.length > 0) resolver.setServers([...servers]);
  return resolver;
}

/**
 * Finds the addresses of the zone's own name servers through a resolver: the system's, unless others are
 * named.
 */
export async function nameServers(
  zoneName: string,
  resolverServers?: readonly string[],
): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1, maxTimeout: DNS_TIMEOUT_MS });
  if (resolverServers !== undefined) resolver.setServers(resolverServers);
  const names = (await resolver.resolveNs(zoneName)).slice(0, MAX_SERVERS);
  const addresses = await Promise.all(names.map((name) => resolver.resolve4(name).catch(() => [])));
  return addresses.flatMap((list) => list.slice(0, 1));
}
