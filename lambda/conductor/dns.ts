import { Resolver, resolve4, resolveNs } from 'node:dns/promises';
import { signalRecordName } from '../core/names.ts';
import { parseSignal } from '../core/signal.ts';
import type { CellAnswer } from './conductor.ts';

const DNS_TIMEOUT_MS = 2_000;
const CONCURRENT_QUERIES = 20;
const MAX_SERVERS = 4;

export interface SignalQuestion {
  readonly zoneName: string;
  readonly primary: string;
  readonly standby: string;
  /** DNS servers as `address:port`. Absent: the zone's own, found by its NS record. */
  readonly servers?: readonly string[] | undefined;
}

/**
 * Asks where cells are. The zone's own name servers are asked, not a resolver: a cache would answer with what was true
 * before the switches were set. What is not answered, or not understood, is `unknown`.
 */
export function signalReader(
  question: SignalQuestion,
): (cells: readonly string[]) => Promise<readonly CellAnswer[]> {
  const { zoneName, primary, standby } = question;
  return async (cells) => {
    const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1, maxTimeout: DNS_TIMEOUT_MS });
    resolver.setServers([...(question.servers ?? (await nameServers(zoneName)))]);
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

/** @throws Error when the zone's name servers cannot be found. */
async function nameServers(zoneName: string): Promise<readonly string[]> {
  const names = (await resolveNs(zoneName)).slice(0, MAX_SERVERS);
  const addresses = await Promise.all(names.map((name) => resolve4(name).catch(() => [])));
  const servers = addresses.flatMap((list) => list.slice(0, 1));
  if (servers.length === 0)
    throw new Error(`No name server of ${zoneName} has an address: check the delegation.`);
  return servers;
}
