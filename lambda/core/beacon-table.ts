import { z } from 'zod';
import { expiresAtMs } from './beacon-item.ts';
import type { BeaconMemory, IgnoredBeacons } from './beacon-memory.ts';
import type { BeaconCell } from './beacons.ts';
import { type ErrorClass, errorClasses } from './probe.ts';

/** How an observer stands with the table of beacons. It is stored beside the vote, so that somebody is told. */
export interface BeaconTable {
  /** When the last reading of the whole table began; absent: there was none yet. */
  readonly completeAtMs?: number;
  /** Whether that is recent enough for a quorum. */
  readonly isComplete: boolean;
  /** Why the table, or its index, cannot be read now. */
  readonly problem?: { readonly errorClass: ErrorClass; readonly sinceMs: number };
  /** Sources that report, as the last whole reading had them. */
  readonly sources?: number;
  /** Sources by cell, the fewest first: as many cells as there is room for. */
  readonly cells: Readonly<Record<string, number>>;
  /** Cells of which no source reports. */
  readonly silentCells: number;
  /** Items that the last whole reading did not believe, by the most frequent reasons. */
  readonly ignored: IgnoredBeacons;
  /** A source with so many items that most of them are skipped. */
  readonly flooding?: string;
}

/** The item of a vote is written every five seconds, and billed by the KB. */
export const MOST_TABLE_CHARACTERS = 300;
const MOST_SOURCE_CHARACTERS = 32;
const MOST_REASONS = 3;

const count = z.number().int().min(0);
const tableSchema = z.object({
  completeAtMs: z.number().optional(),
  isComplete: z.boolean(),
  problem: z
    .object({
      errorClass: z.enum(Object.keys(errorClasses) as [ErrorClass, ...ErrorClass[]]).catch('unclassified'),
      sinceMs: z.number(),
    })
    .optional(),
  sources: count.optional(),
  cells: z.record(z.string(), count),
  silentCells: count,
  ignored: z.record(z.string(), count),
  flooding: z.string().optional(),
});

/** Sources that report now, by cell, in whichever region its producers are. */
export function sourcesByCell(
  memory: BeaconMemory,
  { cells, nowMs }: { readonly cells: readonly BeaconCell[]; readonly nowMs: number },
): ReadonlyMap<string, number> {
  const sources = new Map(cells.map(({ cell }) => [cell, new Set<string>()]));
  const cellsOf = Map.groupBy(
    cells.flatMap(({ cell, streams }) =>
      [...new Set(Object.values(streams))].map((stream) => ({ cell, stream })),
    ),
    ({ stream }) => stream,
  );
  for (const beacon of memory.values()) {
    if (expiresAtMs(beacon) <= nowMs) continue;
    for (const { cell } of cellsOf.get(beacon.stream) ?? []) sources.get(cell)?.add(beacon.source);
  }
  return new Map([...sources].map(([cell, of]) => [cell, of.size]));
}

/** The state in a form that is small enough to be stored: the cells with the most sources are left out first. */
export function smallTable(
  facts: Omit<BeaconTable, 'cells' | 'silentCells'>,
  byCell: ReadonlyMap<string, number>,
): BeaconTable {
  const { flooding, ignored } = facts;
  const mostFrequent = Object.entries(ignored)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MOST_REASONS);
  const table = {
    ...facts,
    ignored: Object.fromEntries(mostFrequent) as IgnoredBeacons,
    ...(flooding === undefined ? {} : { flooding: plain(flooding) }),
    cells: {} as Record<string, number>,
    silentCells: [...byCell.values()].filter((sources) => sources === 0).length,
  };
  for (const [cell, sources] of [...byCell].toSorted(([, a], [, b]) => a - b)) {
    const cells = { ...table.cells, [cell]: sources };
    if (JSON.stringify({ ...table, cells }).length > MOST_TABLE_CHARACTERS) break;
    table.cells = cells;
  }
  return table;
}

/** IAM's names of principals are plain text; whatever else is there, each character is one byte. */
const plain = (source: string): string =>
  source.replaceAll(/[^ !#-[\]-~]/g, '?').slice(0, MOST_SOURCE_CHARACTERS);

/** What an observer has stored; undefined where it has none, or one of another version. */
export function parseBeaconTable(stored: unknown): BeaconTable | undefined {
  const parsed = tableSchema.safeParse(stored);
  return parsed.success ? (parsed.data as BeaconTable) : undefined;
}

const problems: Readonly<Partial<Record<ErrorClass, string>>> = {
  missing: 'the table is missing',
  access: 'access is refused',
  throttled: 'the table is throttled',
  timeout: 'the table does not answer in time',
};

/** One line for people. */
export function beaconTableInWords(table: BeaconTable, nowMs: number): string {
  const { problem, sources, silentCells, completeAtMs, isComplete, flooding } = table;
  const ignored = Object.entries(table.ignored).map(([reason, items]) => `${items} ${reason}`);
  const agoMin = (ms: number): string => `${Math.max(0, Math.round((nowMs - ms) / 60_000))} min`;
  return [
    ...(problem === undefined
      ? []
      : [
          `cannot be read: ${problems[problem.errorClass] ?? problem.errorClass}, for ${agoMin(problem.sinceMs)}`,
        ]),
    ...(completeAtMs === undefined
      ? ['not read as a whole yet']
      : [
          `${sources ?? 0} sources report${silentCells === 0 ? '' : `, none of ${silentCells} cells`}`,
          ...(isComplete ? [] : [`not read as a whole for ${agoMin(completeAtMs)}, so there is no quorum`]),
        ]),
    ...(ignored.length === 0 ? [] : [`ignored: ${ignored.join(', ')}`]),
    ...(flooding === undefined ? [] : [`${flooding} has too many items, which are skipped`]),
  ].join('; ');
}
