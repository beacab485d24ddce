import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import { regionRecordName, signalRecordName } from '../../../lambda/core/names.ts';
import { nameServers } from '../../observers/zone-servers.ts';
import { askServer, type TxtAnswer, txtOf } from '../../resolver/ask-server.ts';
import { openSystem } from '../../resolver/servers.ts';
import { isStretched, STRETCHING_OPTIONS } from '../../resolver/ttl.ts';
import { problemOf } from '../reading.ts';
import { type Check, type Finding, ill, well } from './check.ts';

const CHECK = 'resolvers';
const DNS_TIMEOUT_MS = 2_000;
/** As many servers as the C library asks. */
const MAX_SERVERS = 3;
const MAX_WAIT_SECONDS = 30;

/** The answers of one server, look by look: a TXT record, or the reason why there was none. */
export interface ServerLooks {
  readonly server: string;
  readonly looks: readonly (TxtAnswer | string)[];
}

export interface ResolverLooks {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly resolvers: readonly ServerLooks[];
  /**
   * The zone's own name servers, at the same times. Absent: there are no name servers apart from the
   * resolvers.
   */
  readonly zone?: readonly ServerLooks[];
}

/**
 * Checks this machine's DNS servers: every producer here follows its signal through these servers, and a
 * cache that keeps an answer too long delays a failover unnoticed.
 */
export const resolvers: Check = {
  check: CHECK,
  purpose:
    'the DNS servers of this machine answer as the zone does, and keep a signal no longer than its TTL',
  region: () => 'DNS',
  run: async ({ config, local, dnsServers }) => {
    const { name: zoneName } = config.zone;
    const [cell] = config.cells;
    const name =
      cell === undefined ? regionRecordName(config.name, zoneName) : signalRecordName(cell.name, zoneName);
    const asked = dnsServers ?? openSystem(DNS_TIMEOUT_MS).getServers();
    // The resolver of a local world is the zone's own name server.
    const own = local ? [] : await nameServers(zoneName, dnsServers).catch(() => []);
    const ttlSeconds = config.delivery.dnsTtlSeconds;
    return resolverFindings(
      await lookTwice({
        name,
        ttlSeconds,
        resolvers: asked.slice(0, MAX_SERVERS),
        ...(local ? {} : { zone: own }),
        waitMs: local ? 0 : Math.min(ttlSeconds + 1, MAX_WAIT_SECONDS) * 1_000,
      }),
    );
  },
};

export interface LookOptions {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly resolvers: readonly string[];
  readonly zone?: readonly string[];
  /**
   * Longer than the TTL: by then a cache that respects the TTL has forgotten its first answer, and a cache
   * that does not shows this by still giving it.
   */
  readonly waitMs: number;
}

export async function lookTwice({
  name,
  ttlSeconds,
  resolvers,
  zone,
  waitMs,
}: LookOptions): Promise<ResolverLooks> {
  const look = async () => ({
    resolvers: await askAll(name, resolvers, true),
    zone: await askAll(name, zone ?? [], false),
  });
  const first = await look();
  if (first.resolvers.some((answer) => typeof answer !== 'string')) await sleep(waitMs);
  const second = await look();
  const join = (servers: readonly string[], part: 'resolvers' | 'zone'): readonly ServerLooks[] =>
    servers.map((server, n) => ({
      server,
      looks: [first, second].flatMap(({ [part]: answers }) => answers[n] ?? []),
    }));
  return {
    name,
    ttlSeconds,
    resolvers: join(resolvers, 'resolvers'),
    ...(zone === undefined ? {} : { zone: join(zone, 'zone') }),
  };
}

/** Asks all servers at the same time: silent servers cost one time-out together. */
const askAll = (
  name: string,
  servers: readonly string[],
  recursive: boolean,
): Promise<(TxtAnswer | string)[]> =>
  pMap(servers, async (server) => {
    try {
      const answer = await askServer({ server, name, type: 'TXT', timeoutMs: DNS_TIMEOUT_MS, recursive });
      return txtOf(answer) ?? `no such record (${rcodeOf(answer)})`;
    } catch (error) {
      return problemOf(error);
    }
  });

/** dns-packet decodes the rcode, but its types do not say so. */
const rcodeOf = (answer: object): string => String((answer as { readonly rcode?: unknown }).rcode);

/** Pure: one finding for each problem, or the finding that all is well. */
export function resolverFindings(looks: ResolverLooks): readonly Finding[] {
  const { name, ttlSeconds, zone } = looks;
  const zoneTexts = new Set(zone?.flatMap((one) => answersOf(one).map(({ text }) => text)));
  const found = looks.resolvers.flatMap((one) => serverFindings(one, { name, ttlSeconds, zoneTexts }));
  if (found.length > 0) return found;
  const servers = looks.resolvers.map(({ server }) => server).join(', ');
  const compared =
    zone === undefined
      ? ''
      : zoneTexts.size > 0
        ? ', as the zone’s own name servers'
        : '; the zone’s own name servers do not answer here';
  return [well(CHECK, `${servers}: ${name} is answered, with a TTL of ${ttlSeconds} s at most${compared}`)];
}

interface Expected {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly zoneTexts: ReadonlySet<string>;
}

function serverFindings(one: ServerLooks, { name, ttlSeconds, zoneTexts }: Expected): readonly Finding[] {
  const { server } = one;
  const answers = answersOf(one);
  const last = answers.at(-1);
  if (last === undefined) {
    const why = one.looks.find((look) => typeof look === 'string') ?? 'it was not asked';
    return [
      ill(
        CHECK,
        `${server} does not answer for ${name}: ${why}`,
        'Deploy the records, or repair this server.',
      ),
    ];
  }
  const found: Finding[] = [];
  const longest = Math.max(...answers.map((answer) => answer.ttlSeconds));
  if (isStretched(longest, ttlSeconds)) {
    const finding = `${server} keeps answers beyond their TTL: ${longest} s for ${name}, whose TTL is ${ttlSeconds} s; producers follow a failover that much later`;
    found.push(
      ill(
        CHECK,
        finding,
        `Make this server respect TTLs (${STRETCHING_OPTIONS}), or give producers another server in \`signal.servers\`.`,
      ),
    );
  }
  if (zoneTexts.size > 0 && !zoneTexts.has(last.text)) {
    const finding = `${server} answers "${last.text}" for ${name}, but the zone’s own name servers answer "${[...zoneTexts].join('" or "')}"`;
    found.push(
      ill(
        CHECK,
        finding,
        'Flush the cache of this server, and find out why it keeps old answers, or from whose zone it answers.',
      ),
    );
  }
  return found;
}

const answersOf = ({ looks }: ServerLooks): readonly TxtAnswer[] =>
  looks.flatMap((look) => (typeof look === 'string' ? [] : [look]));
