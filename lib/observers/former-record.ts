import { NODATA, NOTFOUND } from 'node:dns';
import type { Quorum } from '../../lambda/core/lifecycle.ts';
import { formerRegionRecordName, signalRecordName } from '../../lambda/core/names.ts';
import type { Role } from '../../lambda/core/role.ts';
import { parseSignal } from '../../lambda/core/signal.ts';

// Before version 0.2 the quorum's record was `region.<zone>`, one for the whole zone. An upgrade deploys the functions
// first and the record `region.<name>.<zone>` minutes later; in between, they read the former record.

export interface RolePair {
  readonly primary: string;
  readonly standby: string;
}

export interface FormerQuestion extends RolePair {
  readonly zoneName: string;
  /** Cells of this deployment. */
  readonly cells: readonly string[];
  readonly resolveTxt: (name: string) => Promise<readonly (readonly string[])[]>;
}

/** Signals that are asked for: one may be of a cell that the same upgrade adds. */
const SIGNALS_ASKED = 3;

/** Whether a server has said that there is no such record, which no other server would say better. */
export const isNoSuchRecord = (code: unknown): boolean => code === NOTFOUND || code === NODATA;

/** The role of the region that an answer names. @throws Error when it names none of the two. */
export function roleOf(
  [only, ...others]: readonly (readonly string[])[],
  { primary, standby }: RolePair,
): Role {
  if (only === undefined || others.length > 0) throw new Error('not one TXT record');
  const parsed = parseSignal(only.join(''), [primary, standby]);
  if (!parsed.ok) throw new Error(`the answer is not usable: ${parsed.rejection}`);
  return parsed.signal.region === standby ? 'standby' : 'primary';
}

/** What the former record says of this deployment's quorum. Asks everything at once. Never throws. */
export async function formerQuorum({ resolveTxt, ...question }: FormerQuestion): Promise<Quorum> {
  const { zoneName, cells } = question;
  const roleAt = async (name: string): Promise<Role | undefined> => {
    try {
      return roleOf(await resolveTxt(name), question);
    } catch {
      return undefined;
    }
  };
  const [former, ...signals] = await Promise.all([
    roleAt(formerRegionRecordName(zoneName)),
    ...cells.slice(0, SIGNALS_ASKED).map((cell) => roleAt(signalRecordName(cell, zoneName))),
  ]);
  return believed(former, signals);
}

/**
 * The former record may be another deployment's. One that is being created has no signals yet, because they come after
 * its own record; and one whose quorum is in the standby has every signal there.
 */
export function believed(former: Role | undefined, signals: readonly (Role | undefined)[]): Quorum {
  if (former === undefined || signals.every((signal) => signal === undefined)) return 'unknown';
  return former === 'standby' && signals.includes('primary') ? 'unknown' : former;
}
