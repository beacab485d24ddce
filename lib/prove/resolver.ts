import { signalRecordName } from '../../lambda/core/names.ts';
import { nameServers } from '../observers/zone-servers.ts';
import { lookTwice, type ResolverLooks, resolverFindings } from '../operate/doctor/resolvers.ts';
import { openSystem } from '../resolver/servers.ts';
import type { Check } from './check.ts';
import { confirmed, refuted, undecided } from './judgement.ts';

const DNS_TIMEOUT_MS = 2_000;
const MAX_SERVERS = 3;
const MAX_WAIT_SECONDS = 30;

/** The check of `doctor`, judged as a statement. */
export const resolver: Check<'resolver', ResolverLooks> = {
  observe: async ({ config, drill, dnsServers, rehearsing }) => {
    const { name: zoneName } = config.zone;
    const ttlSeconds = config.delivery.dnsTtlSeconds;
    const name = signalRecordName(drill?.cell ?? config.cells[0]?.name ?? '', zoneName);
    if (rehearsing) return { name, ttlSeconds, resolvers: [] };
    const asked = dnsServers ?? openSystem(DNS_TIMEOUT_MS).getServers();
    return lookTwice({
      name,
      ttlSeconds,
      resolvers: asked.slice(0, MAX_SERVERS),
      zone: await nameServers(zoneName, dnsServers).catch(() => []),
      waitMs: Math.min(ttlSeconds + 1, MAX_WAIT_SECONDS) * 1_000,
    });
  },
  judges: {
    'resolver-ttl': (looks) => {
      const answers = looks.resolvers.flatMap((server) =>
        server.looks.flatMap((look) => (typeof look === 'string' ? [] : [look])),
      );
      const findings = resolverFindings(looks);
      if (answers.length === 0) return undecided(findings[0]?.finding ?? 'no server answered');
      const longestTtlSeconds = Math.max(...answers.map(({ ttlSeconds }) => ttlSeconds));
      const ill = findings.filter(({ ok }) => !ok);
      return ill.length === 0
        ? confirmed({ longestTtlSeconds })
        : refuted({ longestTtlSeconds }, ill.map(({ finding }) => finding).join('; '));
    },
  },
};
