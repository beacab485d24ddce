import { getDefaultResultOrder } from 'node:dns';
import { isIPv6, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { HostAddresses } from './host-addresses.ts';
import { HostsFile } from './hosts-file.ts';
import { RenewingResolver } from './renewing-resolver.ts';
import { SystemLookup } from './system-lookup.ts';

const DNS_TIMEOUT_MS = 1_000;
const SYSTEM_TIMEOUT_MS = 5_000;

let shared: HostAddresses | undefined;

/** Made at the first lookup: a process that connects to nothing opens nothing. */
function sharedAddresses(): HostAddresses {
  const now = (): number => performance.now();
  shared ??= new HostAddresses({
    resolver: new RenewingResolver({ timeoutMs: DNS_TIMEOUT_MS }),
    hosts: new HostsFile({ now }),
    system: new SystemLookup({ timeoutMs: SYSTEM_TIMEOUT_MS }),
    families: ownFamilies,
    now,
  });
  return shared;
}

/** `lookup` of a socket, without a thread of the pool (see HostAddresses). All sockets of a process share what is known. */
export const hostLookup: LookupFunction = lookupWith({ of: (host) => sharedAddresses().of(host) });

/** `lookup` of a socket that asks `addresses`. */
export function lookupWith(
  addresses: Pick<HostAddresses, 'of'>,
  families: () => readonly (4 | 6)[] = ownFamilies,
): LookupFunction {
  let turn = 0;
  return (host, options, callback) => {
    const { all = false, family: wanted } = options;
    const family = familyOf(wanted);
    addresses.of(host).then(
      (found) => {
        const suitable = found.filter((each) => family === 0 || isIPv6(each) === (family === 6));
        const ordered = inOrder(rotated(suitable, turn++), families());
        const [first] = ordered;
        if (first === undefined) return callback(noneOf(family, host), '', 0);
        return all ? callback(null, [...ordered]) : callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
}

interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

const familyOf = (family: number | string | undefined): 0 | 4 | 6 => {
  if (family === 4 || family === 'IPv4') return 4;
  return family === 6 || family === 'IPv6' ? 6 : 0;
};

function noneOf(family: 0 | 4 | 6, host: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`${host} has no IPv${family} address`);
  error.code = 'ENOTFOUND';
  return error;
}

/** What is remembered would else send all connections to the same of several addresses. */
function rotated(addresses: readonly string[], turn: number): readonly string[] {
  const from = addresses.length === 0 ? 0 : turn % addresses.length;
  return [...addresses.slice(from), ...addresses.slice(0, from)];
}

/** As getaddrinfo has it (RFC 6724), unless the application says otherwise: IPv6 first where this machine has both. */
function inOrder(addresses: readonly string[], [preferred]: readonly (4 | 6)[]): readonly Address[] {
  const first = getDefaultResultOrder() === 'ipv4first' ? 4 : preferred;
  const all = addresses.map((address): Address => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return [...all.filter(({ family }) => family === first), ...all.filter(({ family }) => family !== first)];
}

const LINK_LOCAL = /^fe[89ab]/i;

/** As getaddrinfo's ADDRCONFIG: a family of which this machine has no address beyond loopback is not asked for. */
function ownFamilies(): readonly (4 | 6)[] {
  let addresses: readonly {
    readonly family: string;
    readonly address: string;
    readonly internal: boolean;
  }[] = [];
  try {
    addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  } catch {
    // A sandbox may forbid to look.
  }
  const outside = addresses.filter(({ internal, address }) => !internal && !LINK_LOCAL.test(address));
  const families = ([6, 4] as const).filter((family) =>
    outside.some((each) => each.family === `IPv${family}`),
  );
  return families.length === 0 ? [6, 4] : families;
}
