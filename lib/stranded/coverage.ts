import type { DrainCounts } from '../drain/counts.ts';
import type { StrandedCell } from './document.ts';
import { consumerWords } from './places.ts';
import { doubtOf } from './positions.ts';
import { type Window, without } from './window.ts';

/** What was copied of a cell, and what was found afterwards. */
export interface Coverage {
  /** As it was before the drain. */
  readonly cell: StrandedCell;
  /** Everything that arrived in these was copied, by this drain and earlier ones of the same move. */
  readonly copied: readonly (Window & {
    readonly counts: Readonly<DrainCounts>;
    readonly expired: boolean;
  })[];
  /** What was to be copied. */
  readonly due: Window;
  /** Records that arrived after it; null: not known. */
  readonly later: number | null;
  /** No newer act has moved the cell meanwhile; null: not known. */
  readonly sameMove: boolean | null;
}

/** Why what was copied may not be all that was stranded; none: it is. A person may judge otherwise. */
export function gapsIn({ cell, copied, due, later, sameMove }: Coverage): readonly string[] {
  const left = without(due, copied);
  const damaged = copied.reduce((sum, { counts }) => sum + counts.damaged, 0);
  const doubts = cell.consumers.flatMap((one) => doubtOf(one.from.by, consumerWords(one)) ?? []);
  const rows: readonly (readonly [boolean, string])[] = [
    [left.length > 0, `not all of the window was copied: ${left.map(inWords).join(', ')} is left`],
    ...doubts.map((doubt) => [true, `${doubt}: the window is a guess`] as const),
    [
      cell.mayHaveExpired || copied.some(({ expired }) => expired),
      'records may have expired before they were read or copied',
    ],
    [
      damaged > 0,
      `${damaged} records begin like an envelope or an aggregate and cannot be read as one: look at them`,
    ],
    [later === null, 'whether records arrived since then is not known'],
    [(later ?? 0) > 0, `${later} records arrived since then: run the same command again`],
    [sameMove === null, 'whether the cell was moved meanwhile is not known'],
    [sameMove === false, 'the cell was moved meanwhile'],
  ];
  return rows.flatMap(([applies, text]) => (applies ? [text] : []));
}

const inWords = ({ fromMs, toMs }: Window): string =>
  `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`;
