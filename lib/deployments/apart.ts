import { judgeApart, type Refusal } from '../../lambda/core/deployment.ts';
import type { GuardedGroups } from '../settings/guard.ts';
import type { Deployed } from '../state/deployed-table.ts';

/** Why checks that are in stacks of their own must not change like this: those stacks change before the names do. */
export function apartRefusals(
  { Groups, ApartIntervalSeconds: intervalSeconds }: GuardedGroups,
  { accepted, switches }: Deployed,
): readonly Refusal[] {
  if (intervalSeconds === undefined) return [];
  const intervals = [...accepted.values()].flatMap(({ current }) =>
    current.Kind === 'cells' ? [current.IntervalSeconds] : [],
  );
  return judgeApart({
    before: switches.groups,
    after: cellsIn(Groups),
    kept: new Set(Object.keys(Groups)),
    // One stack that has another interval is enough.
    intervalSecondsBefore: intervals.find((each) => each !== intervalSeconds),
    intervalSeconds,
  });
}

/** The group of each cell, from the names of the cells by group. */
export const cellsIn = (groups: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(groups).flatMap(([group, cells]) =>
      cells
        .split(' ')
        .filter((cell) => cell !== '')
        .map((cell) => [cell, group] as const),
    ),
  );
