import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BeaconTable,
  beaconTableInWords,
  MOST_TABLE_CHARACTERS,
  parseBeaconTable,
  smallTable,
  sourcesByCell,
} from '../../lambda/core/beacon-table.ts';
import { beacon, nowMs, STANDBY, several, tally } from './beacon-fixtures.ts';

const well: BeaconTable = {
  completeAtMs: nowMs - 30_000,
  isComplete: true,
  sources: 12,
  cells: { orders: 12 },
  silentCells: 0,
  ignored: {},
};

describe('the state of the table of beacons', () => {
  it('counts a source once for each cell, wherever its producers are, and only while it reports', () => {
    const cells = ['orders', 'clicks', 'idle'].map((cell) => ({
      cell,
      streams: { primary: cell, standby: `${cell}-west` },
    }));
    const beacons = [
      ...several(3, (n) => beacon(n, { source: 'one' })),
      beacon(4, { stream: 'orders-west', regions: { [STANDBY]: tally(100) } }),
      beacon(5, { stream: 'clicks' }),
      beacon(6, { stream: 'clicks', atMs: nowMs - 20_000 }),
    ];
    const memory = new Map(beacons.map((each) => [each.process, each]));
    expect(Object.fromEntries(sourcesByCell(memory, { cells, nowMs }))).toEqual({
      orders: 2,
      clicks: 1,
      idle: 0,
    });
  });

  it('is never larger than it may be, says first who is silent, and survives the table', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/);
    fc.assert(
      fc.property(
        fc.dictionary(name, fc.nat(5_000), { maxKeys: 60 }),
        fc.option(fc.string({ maxLength: 256, unit: 'grapheme' }), { nil: undefined }),
        (byCell, flooding) => {
          const facts = {
            completeAtMs: nowMs,
            isComplete: false,
            problem: { errorClass: 'unclassified', sinceMs: nowMs } as const,
            sources: 40_000,
            ignored: { malformed: 4e6, oversized: 4e6, future: 4e6, replayed: 4e6, tooMany: 4e6 },
            ...(flooding === undefined ? {} : { flooding }),
          };
          const table = smallTable(facts, new Map(Object.entries(byCell)));
          expect(Buffer.byteLength(JSON.stringify(table))).toBeLessThanOrEqual(MOST_TABLE_CHARACTERS);
          expect(parseBeaconTable(JSON.parse(JSON.stringify(table)))).toEqual(table);
          const left = Object.entries(byCell).filter(([cell]) => !(cell in table.cells));
          const most = Math.max(0, ...Object.values(table.cells));
          for (const [, sources] of left) expect(sources).toBeGreaterThanOrEqual(most);
          expect(table.silentCells).toBe(Object.values(byCell).filter((sources) => sources === 0).length);
        },
      ),
    );
  });

  it('is nothing where something else is stored', () => {
    fc.assert(
      fc.property(fc.anything(), (stored) => {
        expect(parseBeaconTable(stored)).toBeUndefined();
      }),
    );
    expect(parseBeaconTable({ ...well, more: 1 })).toEqual(well);
  });

  it.each<[Partial<BeaconTable>, string]>([
    [{}, '12 sources report'],
    [{ silentCells: 2 }, '12 sources report, none of 2 cells'],
    [
      { problem: { errorClass: 'missing', sinceMs: nowMs - 720_000 }, isComplete: false },
      'cannot be read: the table is missing, for 12 min; 12 sources report; not read as a whole for 1 min, so there is no quorum',
    ],
    [{ ignored: { future: 3, malformed: 1 } }, '12 sources report; ignored: 3 future, 1 malformed'],
    [{ flooding: 'AROA:x' }, '12 sources report; AROA:x has too many items, which are skipped'],
  ])('is said in a line', (change, words) => {
    expect(beaconTableInWords({ ...well, ...change }, nowMs)).toBe(words);
  });
});
