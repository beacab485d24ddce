import { setTimeout as sleep } from 'node:timers/promises';
import type { Quorum } from '../../lambda/core/lifecycle.ts';
import { regionRecordName } from '../../lambda/core/names.ts';
import type { Role } from '../../lambda/core/role.ts';
import { RenewingResolver } from '../resolver/renewing-resolver.ts';
import { openGiven, openSystem } from '../resolver/servers.ts';
import { formerQuorum, isNoSuchRecord, type RolePair, roleOf } from './former-record.ts';
import { type ZoneQuestion, zoneResolver } from './zone-servers.ts';

/** `servers`: absent, the system's. */
export interface QuorumReaderOptions extends ZoneQuestion, RolePair {
  /** The deployment's. */
  readonly name: string;
  /** Cells of the deployment. */
  readonly cells: readonly string[];
}

/**
 * The quorum is read from DNS: in an outage the health-check API, a control plane in us-east-1, may not
 * answer.
 */
const DNS_TIMEOUT_MS = 1_000;
/** For all that is asked when a resolver, which has just answered, knows no record of the deployment's name. */
const MISSING_DEADLINE_MS = 2_000;

/**
 * Reads `region.<name>.<zone>`, which follows the quorum alone. Never throws: what cannot be read or understood is
 * `unknown`. An observer keeps asking for as long as its function lives, which is longer than a resolver
 * lives.
 */
export function quorumReader(options: QuorumReaderOptions): () => Promise<Quorum> {
  const resolver = new RenewingResolver({ servers: options.servers, timeoutMs: DNS_TIMEOUT_MS });
  const name = regionRecordName(options.name, options.zoneName);
  return async () => {
    let isMissing = false;
    const quorum = await resolver.ask<Role>({
      name,
      read: (texts) => roleOf(texts, options),
      onProblem: (_problem, code) => {
        isMissing ||= isNoSuchRecord(code);
      },
    });
    if (quorum !== undefined) return quorum;
    return isMissing ? quorumWithoutRecord(options) : 'unknown';
  };
}

/**
 * The quorum while an upgrade is under way and a resolver knows no record of the deployment's name. Before the record is
 * there, the former one tells. Afterwards that one is gone, and the resolver may remember for a quarter of an hour that it
 * knew no other; the zone's own servers remember nothing. Never throws.
 */
export async function quorumWithoutRecord(
  options: QuorumReaderOptions,
  deadlineMs: number = MISSING_DEADLINE_MS,
): Promise<Quorum> {
  const ended = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: ended.signal }).catch(() => undefined);
  const [own, former] = await Promise.all([
    Promise.race([ofZone(options), late]),
    Promise.race([beforeNames(options), late]),
  ]).finally(() => ended.abort());
  return own ?? former ?? 'unknown';
}

async function ofZone(options: QuorumReaderOptions): Promise<Role | undefined> {
  try {
    const resolver = await zoneResolver(options);
    return roleOf(await resolver.resolveTxt(regionRecordName(options.name, options.zoneName)), options);
  } catch {
    return undefined;
  }
}

function beforeNames(options: QuorumReaderOptions): Promise<Quorum> {
  const resolver = (options.servers === undefined ? openSystem : openGiven(options.servers))(DNS_TIMEOUT_MS);
  return formerQuorum({ ...options, resolveTxt: (asked) => resolver.resolveTxt(asked) });
}
