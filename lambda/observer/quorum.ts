import { Resolver } from 'node:dns/promises';
import type { Quorum } from '../core/lifecycle.ts';
import { regionRecordName } from '../core/names.ts';
import { parseSignal } from '../core/signal.ts';

export interface QuorumReaderOptions {
  readonly zoneName: string;
  readonly primary: string;
  readonly standby: string;
  /** DNS servers as `address:port`. Absent: the system's. */
  readonly servers?: readonly string[] | undefined;
}

/** Asks DNS, as anybody would: in a crisis the health-check API, a us-east-1 control plane, may not answer. */
const DNS_TIMEOUT_MS = 1_000;

/** Reads `region.<zone>`, which follows the quorum alone. Never throws: what cannot be read or understood is `unknown`. */
export function quorumReader(options: QuorumReaderOptions): () => Promise<Quorum> {
  const { servers } = options;
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1, maxTimeout: DNS_TIMEOUT_MS });
  if (servers !== undefined) resolver.setServers(servers);
  return () => readQuorum({ ...options, resolver });
}

/** One answer of that resolver. Never throws. */
export async function readQuorum({
  zoneName,
  primary,
  standby,
  resolver,
}: Omit<QuorumReaderOptions, 'servers'> & { readonly resolver: Resolver }): Promise<Quorum> {
  try {
    const [only, ...others] = await resolver.resolveTxt(regionRecordName(zoneName));
    if (only === undefined || others.length > 0) return 'unknown';
    const parsed = parseSignal(only.join(''), [primary, standby]);
    if (!parsed.ok) return 'unknown';
    return parsed.signal.region === standby ? 'standby' : 'primary';
  } catch {
    return 'unknown';
  }
}
