import type { Quorum } from '../../lambda/core/lifecycle.ts';
import { regionRecordName } from '../../lambda/core/names.ts';
import { parseSignal } from '../../lambda/core/signal.ts';
import { RenewingResolver } from '../resolver/renewing-resolver.ts';

export interface QuorumReaderOptions {
  readonly zoneName: string;
  readonly primary: string;
  readonly standby: string;
  /** DNS servers as `address:port`. Absent: the system's. */
  readonly servers?: readonly string[] | undefined;
}

/**
 * The quorum is read from DNS: in an outage the health-check API, a control plane in us-east-1, may not
 * answer.
 */
const DNS_TIMEOUT_MS = 1_000;

/**
 * Reads `region.<zone>`, which follows the quorum alone. Never throws: what cannot be read or understood is
 * `unknown`. An observer keeps asking for as long as its function lives, which is longer than a resolver
 * lives.
 */
export function quorumReader(options: QuorumReaderOptions): () => Promise<Quorum> {
  const resolver = new RenewingResolver({ servers: options.servers, timeoutMs: DNS_TIMEOUT_MS });
  const name = regionRecordName(options.zoneName);
  return async () => {
    const quorum = await resolver.ask({ name, read: (texts) => roleOf(texts, options) });
    return quorum ?? 'unknown';
  };
}

/** The role of the region that an answer names. @throws Error when it names none of the two. */
export function roleOf(
  [only, ...others]: readonly (readonly string[])[],
  { primary, standby }: Pick<QuorumReaderOptions, 'primary' | 'standby'>,
): Quorum {
  if (only === undefined || others.length > 0) throw new Error('not one TXT record');
  const parsed = parseSignal(only.join(''), [primary, standby]);
  if (!parsed.ok) throw new Error(`the answer is not usable: ${parsed.rejection}`);
  return parsed.signal.region === standby ? 'standby' : 'primary';
}
