import dns from 'node:dns';
import { Resolver } from 'node:dns/promises';

/** Makes a resolver that asks the servers of this moment. */
export type OpenResolver = (timeoutMs: number) => Resolver;

/** @throws TypeError (ERR_INVALID_IP_ADDRESS) for what is neither `address` nor `address:port`. */
export function openGiven(servers: readonly string[]): OpenResolver {
  return (timeoutMs) => {
    const resolver = bare(timeoutMs);
    resolver.setServers(servers);
    return resolver;
  };
}

/**
 * The servers that the application has given to `dns.setServers`, else the system's as they are now. c-ares reads
 * /etc/resolv.conf (or what the system has in its place) when a resolver is made and never again (nodejs/node#49485).
 */
export const openSystem: OpenResolver = (timeoutMs) => {
  const resolver = bare(timeoutMs);
  const given = givenByApplication(resolver.getServers());
  if (given !== undefined) resolver.setServers(given);
  return resolver;
};

export const sameServers = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((server, index) => server === other[index]);

/** A resolver that is used gives those that have failed last. */
const sameSet = (one: readonly string[], other: readonly string[]): boolean =>
  sameServers([...one].sort(), [...other].sort());

/** Nodes after 24 have `--experimental-dns-cache-max-ttl`, which puts a cache into every resolver that does not forbid it. */
function bare(timeoutMs: number): Resolver {
  const options = { timeout: timeoutMs, maxTimeout: timeoutMs, tries: 1, cacheMaxTTL: 0 };
  return new Resolver(options);
}

/** What node's default resolver asked when it was last seen to ask the system's servers; it is not told when these change. */
let lastSystemDefault: readonly string[] | undefined;

/**
 * Nothing says whether somebody has called `dns.setServers`. But node's default resolver keeps the system's servers as
 * they once were unless it is given others, so what it asks has been given to it if it is neither what the system names
 * now nor what it asked when both were last the same. If they never were the same since this file was loaded, the
 * system's may have changed before: then they are asked too, where the others are silent.
 */
function givenByApplication(system: readonly string[]): readonly string[] | undefined {
  // Not a named import: setServers replaces the function.
  const current = dns.getServers();
  if (sameSet(current, system)) lastSystemDefault = current;
  if (lastSystemDefault === undefined) return [...new Set([...current, ...system])];
  return sameSet(current, lastSystemDefault) ? undefined : current;
}

// When a program starts they are the same as a rule; later the system's may have changed unseen.
givenByApplication(bare(1).getServers());
