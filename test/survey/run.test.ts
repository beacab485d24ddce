import { describe, expect, it } from 'vitest';
import type { CellCapacity } from '../../lambda/core/fitness.ts';
import type { CellReading } from '../../lambda/core/survey.ts';
import type { SurveyedCell } from '../../lib/settings/survey.ts';
import { StateUnavailableError } from '../../lib/state/errors.ts';
import { CELLS_A_RUN, runSurvey, type SurveyPorts } from '../../lib/survey/run.ts';

const cellsOf = (count: number): readonly SurveyedCell[] =>
  Array.from({ length: count }, (_, n) => ({
    cell: `c${n}`,
    streams: { primary: `p${n}`, standby: `s${n}` },
  }));
const HOUR_MS = 3_600_000;
const AT_ONCE = 25;

/** A table in memory, and streams of which each takes 1 MB/s and had to take what `peak` says. */
function world(options: { readonly lookMs?: number; readonly peak?: number } = {}) {
  const table = new Map<string, CellCapacity>();
  const looked: string[] = [];
  const clock = { nowMs: HOUR_MS };
  const stream = {
    size: { mode: 'provisioned', shards: 1 },
    peak: { bytesPerSecond: options.peak ?? 10, recordsPerSecond: 1 },
  } as const;
  const ports: SurveyPorts = {
    nowMs: () => clock.nowMs,
    state: {
      readCapacities: async () => [...table.values()],
      writeCapacity: async (capacity) => void table.set(capacity.cell, capacity),
      forgetCapacity: async (cell) => void table.delete(cell),
    },
    async *look(cells): AsyncGenerator<readonly CellReading[]> {
      for (let n = 0; n < cells.length; n += AT_ONCE) {
        const some = cells.slice(n, n + AT_ONCE).map(({ cell }) => cell);
        looked.push(...some);
        clock.nowMs += options.lookMs ?? 1_000;
        yield some.map((cell) => ({ cell, atMs: clock.nowMs, primary: stream, standby: stream }));
      }
    },
  };
  return { table, looked, clock, ports };
}

describe('a run of the survey', () => {
  it('stores every cell of a deployment that one run can see', async () => {
    const { table, ports } = world();
    expect(await runSurvey(cellsOf(60), ports)).toEqual({
      surveyed: 60,
      cells: 60,
      shortfalls: [],
      disorders: [],
    });
    expect(table.size).toBe(60);
  });

  it('leaves the rest of a thousand cells to the next ones, and has seen all of them in four hours', async () => {
    const { table, looked, clock, ports } = world();
    for (let hour = 1; hour <= 4; hour++) {
      clock.nowMs = hour * HOUR_MS;
      expect((await runSurvey(cellsOf(1_000), ports)).surveyed).toBe(CELLS_A_RUN);
      expect(table.size).toBe(hour * CELLS_A_RUN);
    }
    clock.nowMs = 5 * HOUR_MS;
    looked.length = 0;
    await runSurvey(cellsOf(1_000), ports);
    expect(looked[0]).toBe('c0');
    expect(table.size).toBe(1_000);
  });

  it('that is slow ends in time with what it has, and the next one goes on where it stopped', async () => {
    const { looked, clock, ports } = world({ lookMs: 60_000 });
    expect((await runSurvey(cellsOf(200), ports)).surveyed).toBe(2 * AT_ONCE);
    clock.nowMs = 2 * HOUR_MS;
    await runSurvey(cellsOf(200), ports);
    expect(looked).toEqual(cellsOf(4 * AT_ONCE).map(({ cell }) => cell));
  });

  it('forgets cells that are no more: they would be judged for ever', async () => {
    const { table, ports } = world({ peak: 2_000_000 });
    await runSurvey(cellsOf(3), ports);
    const { shortfalls } = await runSurvey(cellsOf(1), ports);
    expect([...table.keys()]).toEqual(['c0']);
    expect(shortfalls).toEqual([expect.stringMatching(/^c0: peak 2\.0 MB\/s/)]);
  });

  it('counts the shortfalls of all cells that are known, also of those that it did not look at this time', async () => {
    const { ports } = world({ peak: 2_000_000, lookMs: 100_000 });
    await runSurvey(cellsOf(50), ports);
    expect(await runSurvey(cellsOf(50), ports)).toMatchObject({
      surveyed: AT_ONCE,
      shortfalls: { length: 50 },
    });
  });

  it('writes nothing of a cell of which nothing could be read', async () => {
    const { table, ports } = world();
    await runSurvey(cellsOf(1), ports);
    const before = table.get('c0');
    const blind: SurveyPorts = {
      ...ports,
      async *look(cells) {
        yield cells.map(({ cell }) => ({ cell, atMs: 9 * HOUR_MS, primary: {}, standby: {} }));
      },
    };
    expect(await runSurvey(cellsOf(1), blind)).toMatchObject({ surveyed: 0 });
    expect(table.get('c0')).toEqual(before);
  });

  it('fails when the table does not answer: there is nowhere to store it', async () => {
    const { ports } = world();
    const state = {
      ...ports.state,
      readCapacities: async () => Promise.reject(new StateUnavailableError('gone')),
    };
    await expect(runSurvey(cellsOf(1), { ...ports, state })).rejects.toThrow('gone');
  });
});
