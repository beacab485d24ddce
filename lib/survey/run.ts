import { type CellCapacity, shortfalls } from '../../lambda/core/fitness.ts';
import { type CellReading, capacityFrom, oldestFirst } from '../../lambda/core/survey.ts';
import type { SurveyedCell } from '../settings/survey.ts';
import type { StateTable } from '../state/state-table.ts';

/**
 * Cells that one run looks at. A deployment of so many is surveyed whole each hour, one of a thousand in four: GetMetricData
 * asks $0.01 for a thousand metrics, four of each cell, so that this also bounds what it costs, to $7.30 a month.
 */
export const CELLS_A_RUN = 250;
/** After it no further look begins; one look may take as long again. */
const RUN_MS = 90_000;
/** Of cells that are no more. */
const FORGOTTEN_A_RUN = 250;

export interface SurveyPorts {
  readonly nowMs: () => number;
  readonly state: Pick<StateTable, 'readCapacities' | 'writeCapacity' | 'forgetCapacity'>;
  /** Readings of the cells in the order given, some at a time. */
  readonly look: (cells: readonly SurveyedCell[]) => AsyncIterable<readonly CellReading[]>;
}

export interface SurveyResult {
  /** Cells of which something could be read. */
  readonly surveyed: number;
  readonly cells: number;
  /** Sentences on cells whose stream in the standby would not take their peak, as far as it is known. */
  readonly shortfalls: readonly string[];
}

/**
 * One run: the cells whose survey is oldest first, until there are enough of them or time is up.
 *
 * @throws StateUnavailableError
 */
export async function runSurvey(
  cells: readonly SurveyedCell[],
  { nowMs, state, look }: SurveyPorts,
): Promise<SurveyResult> {
  const untilMs = nowMs() + RUN_MS;
  const stored = await state.readCapacities();
  const names = new Set(cells.map(({ cell }) => cell));
  const gone = stored.filter(({ cell }) => !names.has(cell)).slice(0, FORGOTTEN_A_RUN);
  await Promise.all(gone.map(({ cell }) => state.forgetCapacity(cell)));
  const known = new Map<string, CellCapacity>(
    stored.flatMap((capacity) => (names.has(capacity.cell) ? [[capacity.cell, capacity] as const] : [])),
  );
  let surveyed = 0;
  for await (const readings of look(oldestFirst(cells, stored).slice(0, CELLS_A_RUN))) {
    const found = readings.flatMap((reading) => capacityFrom(reading, known.get(reading.cell)) ?? []);
    await Promise.all(found.map((capacity) => state.writeCapacity(capacity)));
    for (const capacity of found) known.set(capacity.cell, capacity);
    surveyed += found.length;
    if (nowMs() >= untilMs) break;
  }
  return { surveyed, cells: cells.length, shortfalls: shortfalls([...known.values()], 'standby') };
}
