import { type CellCapacity, disorders, shortfalls } from '../../lambda/core/fitness.ts';
import { type CellReading, capacityFrom, oldestFirst } from '../../lambda/core/survey.ts';
import type { SurveyedCell } from '../settings/survey.ts';
import type { StateTable } from '../state/state-table.ts';

/**
 * Cells that one run looks at. A deployment with this many cells is surveyed each hour as a whole, one with a
 * thousand cells in four hours. GetMetricData costs $0.01 per thousand metrics, four per cell, so this number
 * also limits the cost, to $7.30 a month.
 */
export const CELLS_A_RUN = 250;
/** After this time no further look begins; one look may take as long again. */
const RUN_MS = 90_000;
/** Most removed cells whose data one run deletes. */
const FORGOTTEN_A_RUN = 250;

export interface SurveyPorts {
  readonly nowMs: () => number;
  readonly state: Pick<StateTable, 'readCapacities' | 'writeCapacity' | 'forgetCapacity'>;
  /** Reads the cells in the order given, some at a time. */
  readonly look: (cells: readonly SurveyedCell[]) => AsyncIterable<readonly CellReading[]>;
}

export interface SurveyResult {
  /** Cells of which something could be read. */
  readonly surveyed: number;
  readonly cells: number;
  /**
   * Sentences about cells whose stream in the standby would not take their peak, as far as the peak is known.
   */
  readonly shortfalls: readonly string[];
  /** Sentences about cells whose order of keys would end with a move. */
  readonly disorders: readonly string[];
}

/**
 * Carries out one run of the survey: the cells whose survey is oldest come first, until enough cells are done
 * or time is up.
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
  const all = [...known.values()];
  return {
    surveyed,
    cells: cells.length,
    shortfalls: shortfalls(all, 'standby'),
    disorders: disorders(all),
  };
}
