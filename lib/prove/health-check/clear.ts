import { RefusedError } from '../../operate/errors.ts';
import type { ProveContext } from '../context.ts';
import { findLeftovers, type Leftovers, placeOf, removeLeftovers } from './leftovers.ts';

/** A run takes less than this: what is older was left by one that ended badly. */
const LONGEST_RUN_MS = 45 * 60_000;

/** Deletes what a run that crashed has left. @throws RefusedError when another run may be at work */
export async function clearLeftovers(context: ProveContext): Promise<void> {
  const place = placeOf(context);
  const found = await findLeftovers(place);
  const youngest = Math.max(...found.checks.map(({ madeAtMs }) => madeAtMs));
  if (youngest > context.nowMs() - LONGEST_RUN_MS) {
    const reason = `a health check of this command was made at ${new Date(youngest).toISOString()}`;
    const hint =
      'If no other prove runs, delete what a crashed one has left: spillway prove --clean --reason "…"';
    throw new RefusedError([{ rule: 'other-prove', reason, untilMs: youngest + LONGEST_RUN_MS }], hint);
  }
  if (found.checks.length + found.records.length === 0) return;
  context.say(`deleting what an earlier run has left: ${leftoversText(found)}`);
  await removeLeftovers(place, found);
}

/** Deletes what any run has left. */
export async function clean(context: ProveContext): Promise<Leftovers> {
  const place = placeOf(context);
  const found = await findLeftovers(place);
  await removeLeftovers(place, found);
  return found;
}

export const leftoversText = ({ checks, records }: Leftovers): string =>
  `${counted(checks.length, 'health check')} and ${counted(records.length, 'record')}`;

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
