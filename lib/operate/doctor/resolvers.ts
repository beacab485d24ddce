import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import { regionRecordName, signalRecordName } from '../../../lambda/core/names.ts';
import { nameServers } from '../../conductor/dns.ts';
import { askServer, type TxtAnswer, txtOf } from '../../resolver/ask-server.ts';
import { openSystem } from '../../resolver/servers.ts';
import { isStretched, STRETCHING_OPTIONS } from '../../resolver/ttl.ts';
import { problemOf } from '../reading.ts';
import { type Check, type Finding, ill, well } from './check.ts';

const CHECK = 'resolvers';
const DNS_TIMEOUT_MS = 2_000;
/** As many as the C library asks. */
const MAX_SERVERS = 3;
const MAX_WAIT_SECONDS = 30;

/** What one server answered, look by look: a TXT record, or why there was none. */
export interface ServerLooks {
  readonly server: string;
  readonly looks: readonly (TxtAnswer | string)[];
}

export interface ResolverLooks {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly resolvers: readonly ServerLooks[];
  /** The zone's own name servers, at the same times. Absent: there are none beside the resolvers. */
  readonly zone?: readonly ServerLooks[];
}

/** Everybody here who follows a signal does so through these, and a cache that keeps it too long delays a failover in silence. */
export const resolvers: Check = {
  check: CHECK,
  purpose:
    'the DNS servers of this machine answer as the zone does, and keep a signal no longer than its TTL',
  region: () => 'DNS',
  run: async ({ config, local, dnsServers }) => {
    const { name: zoneName } = config.zone;
    const [cell] = config.cells;
    const name = cell === undefined ? regionRecordName(zoneName) : signalRecordName(cell.name, zoneName);
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
  /** More than the TTL: what a cache that respects it answered at first is then forgotten, and one that does not shows it at last. */
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

/** All at once: those that are silent cost one time-out together. */
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

/** dns-packet decodes it; its types do not say so. */
const rcodeOf = (answer: object): string => String((answer as { readonly rcode?: unknown }).rcode);

/** Pure: one finding for each thing to mend, or that all is well. */
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
      ill(CHECK, `${server} does not answer for ${name}: ${why}`, 'Deploy the records, or mend this server.'),
    ];
  }
  const found: Finding[] = [];
  const longest = Math.max(...answers.map((answer) => answer.ttlSeconds));
  if (isStretched(longest, ttlSeconds)) {
    const finding = `${server} keeps answers beyond their TTL: ${longest} s for ${name}, whose own is ${ttlSeconds} s; a failover is followed as much later`;
    found.push(
      ill(
        CHECK,
        finding,
        `Let it respect TTLs (${STRETCHING_OPTIONS}), or give producers another in \`signal.servers\`.`,
      ),
    );
  }
  if (zoneTexts.size > 0 && !zoneTexts.has(last.text)) {
    const finding = `${server} answers "${last.text}" for ${name}, the zone’s own name servers "${[...zoneTexts].join('" or "')}"`;
    found.push(
      ill(
        CHECK,
        finding,
        'Flush its cache, and find out why it keeps old answers, or whose zone it answers from.',
      ),
    );
  }
  return found;
}

const answersOf = ({ looks }: ServerLooks): readonly TxtAnswer[] =>
  looks.flatMap((look) => (typeof look === 'string' ? [] : [look]));
