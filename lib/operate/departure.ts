import { z } from 'zod';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { StoredSwitch } from '../state/state-table.ts';

/** When traffic left a stream, and by which act. Later acts may have set the switch to the same position again. */
export interface Departure {
  readonly epoch: number;
  /** Traffic had not left before this. */
  readonly atMs?: number;
}

/** What the journal calls the acts that set switches, by where traffic leaves. */
const acts: Readonly<Record<Role, ReadonlySet<string>>> = {
  primary: new Set(['latch', 'failover --direct', 'take back']),
  standby: new Set(['release', 'failback --removed']),
};
/** How much earlier than its latest act an evacuation may have begun of which the journal does not tell. */
export const UNKNOWN_DEPARTURE_MARGIN_MS = 6 * 3_600_000;

/**
 * Pure: the first departure of a group since it was last in the region of this role. The switch itself keeps only the latest
 * act, and an evacuation may set it more than once. Where the journal leaves a doubt, the earlier departure is named: too much is
 * counted then, and nothing is left out.
 */
export function departureOf(
  { group, epoch, atMs }: Pick<StoredSwitch, 'group' | 'epoch' | 'atMs'>,
  role: Role,
  newestFirst: readonly JournalEntry[] | undefined,
): Departure {
  const entries = newestFirst ?? [];
  const isBack = (entry: JournalEntry): boolean =>
    acts[role === 'primary' ? 'standby' : 'primary'].has(entry.what) && isSurelyAbout(entry, group);
  const back = entries.findIndex(isBack);
  const since = back === -1 ? entries : entries.slice(0, back);
  const epochs = since.flatMap((entry) =>
    acts[role].has(entry.what) &&
    entry.epoch !== undefined &&
    mayBeAbout(entry, group) &&
    entry.epoch <= epoch
      ? entry.epoch
      : [],
  );
  if (epochs.length === 0)
    return { epoch, ...(atMs !== undefined && { atMs: atMs - UNKNOWN_DEPARTURE_MARGIN_MS }) };
  const first = Math.min(...epochs);
  const times = since.flatMap((entry) => (entry.epoch === first ? entry.atMs : []));
  return { epoch: first, atMs: Math.min(...times, atMs ?? Number.POSITIVE_INFINITY) };
}

/** An entry without a group is about several groups, or all. */
const mayBeAbout = (entry: JournalEntry, group: string): boolean =>
  entry.group === undefined || entry.group === group;

/** Acts that set switches back name the groups: the first of them, or all. */
const returned = z.union([
  z.object({ groups: z.array(z.string()) }).transform(({ groups }) => groups),
  z.object({ released: z.array(z.string()) }).transform(({ released }) => released),
]);

function isSurelyAbout(entry: JournalEntry, group: string): boolean {
  if (entry.group !== undefined) return entry.group === group;
  const parsed = returned.safeParse(entry.after);
  return parsed.success && parsed.data.includes(group);
}
