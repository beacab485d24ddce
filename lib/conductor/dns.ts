import { Resolver } from 'node:dns/promises';
import type { Quorum } from '../../lambda/core/lifecycle.ts';
import { regionRecordName, signalRecordName } from '../../lambda/core/names.ts';
import { parseSignal } from '../../lambda/core/signal.ts';
import { roleOf } from '../observers/quorum.ts';
import type { CellAnswer } from './cell-answer.ts';

const DNS_TIMEOUT_MS = 2_000;
const CONCURRENT_QUERIES = 20;
const MAX_SERVERS = 4;

export interface SignalQuestion {
  readonly zoneName: string;
  readonly primary: string;
  readonly standby: string;
  /** DNS servers as `address:port`. Absent: the zone's own. */
  readonly servers?: readonly string[] | undefined;
  /**
   * Finds the zone's own servers. Default: by the zone's NS records, which a resolver keeps for two days
   * after a question.
   */
  readonly findServers?: (zoneName: string) => Promise<readonly string[]>;
}

/**
 * Asks where cells are. The zone's own name servers are asked, because a resolver gives the answer from
 * before the switches were set until the TTL is over. If the name servers cannot be found, the resolver is
 * asked all the same: an answer some seconds old is better than none. A missing answer, or one that is not
 * understood, is `unknown`.
 */
export function signalReader(
  question: SignalQuestion,
): (cells: readonly string[]) => Promise<readonly CellAnswer[]> {
  const { zoneName, primary, standby } = question;
  return async (cells) => {
    const resolver = await zoneResolver(question);
    const answers: CellAnswer[] = [];
    const queue = cells.values();
    const worker = async (): Promise<void> => {
      for (const cell of queue) {
        const texts = await resolver.resolveTxt(signalRecordName(cell, zoneName)).catch(() => []);
        const parsed = parseSignal(texts[0]?.join('') ?? '', [primary, standby]);
        if (!parsed.ok) answers.push({ cell, region: 'unknown' });
        else answers.push({ cell, region: parsed.signal.region === standby ? 'standby' : 'primary' });
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENT_QUERIES, cells.length) }, worker));
    return answers;
  };
}

/** Asks the same servers what the quorum says: `region.<zone>`. Never throws. */
export function zoneQuorumReader(question: SignalQuestion): () => Promise<Quorum> {
  return async () => {
    try {
      const resolver = await zoneResolver(question);
      return roleOf(await resolver.resolveTxt(regionRecordName(question.zoneName)), question);
    } catch {
      return 'unknown';
    }
  };
}

async function zoneResolver(question: SignalQuestion): Promise<Resolver> {
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
