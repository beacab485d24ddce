import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CellFinding } from '../../lambda/core/cell-findings.ts';
import { type CellAccuser, groupsToMove, isHeldByMode } from '../../lambda/core/cell-quorum.ts';

const regions = ['us-west-2', 'us-east-2', 'eu-west-1'];
const finding = (cell: string, rest: Partial<CellFinding> = {}): CellFinding => ({
  cell,
  group: cell,
  kind: 'impaired',
  sinceMs: 1_000,
  reason: '6 of 6',
  refusals: [],
  ...rest,
});
const says = (region: string, cells: readonly CellFinding[], fresh = true): CellAccuser => ({
  region,
  fresh,
  cells,
});
const cells = ['orders', 'clicks'].map((cell) => ({ cell, group: cell }));
const ask = (accusers: readonly CellAccuser[], counts?: (each: CellFinding) => boolean) =>
  groupsToMove({ accusers, cells, votesToEvacuate: 2, ...(counts && { counts }) });

describe('the switches that a quorum asks for', () => {
  it('are those of cells that K observers accuse, since the K-th began to', () => {
    const accusers = [
      says('us-west-2', [finding('orders', { sinceMs: 3_000 })]),
      says('us-east-2', [finding('orders', { sinceMs: 2_000 }), finding('clicks')]),
      says('eu-west-1', [finding('orders', { sinceMs: 9_000 })]),
    ];
    expect(ask(accusers)).toMatchObject([{ group: 'orders', cells: ['orders'], sinceMs: 3_000 }]);
  });

  it('do not count what is stale, refused, or no accusation', () => {
    const one = says('us-west-2', [finding('orders')]);
    const refused = finding('orders', { refusals: [{ rule: 'pause', reason: 'paused' }] });
    for (const other of [
      says('us-east-2', [finding('orders')], false),
      says('us-east-2', [refused]),
      says('us-east-2', [finding('orders', { kind: 'suspected' })]),
      says('us-east-2', [finding('orders', { kind: 'refused' })]),
    ])
      expect(ask([one, other])).toEqual([]);
  });

  it('count an observer once, however often it says so', () => {
    expect(ask([says('us-west-2', [finding('orders'), finding('orders')])])).toEqual([]);
  });

  it('are set for a group when half of its cells are accused, not for fewer', () => {
    const shared = ['a', 'b', 'c', 'd'].map((cell) => ({ cell, group: 'shop' }));
    const accused = (...names: readonly string[]) =>
      regions.map((region) =>
        says(
          region,
          names.map((cell) => finding(cell, { group: 'shop' })),
        ),
      );
    const moved = (accusers: readonly CellAccuser[]) =>
      groupsToMove({ accusers, cells: shared, votesToEvacuate: 2 });
    expect(moved(accused('a'))).toEqual([]);
    expect(moved(accused('a', 'c'))).toMatchObject([{ group: 'shop', cells: ['a', 'c'] }]);
  });

  it('tell what would have moved if the mode had let it', () => {
    const held = finding('orders', { refusals: [{ rule: 'mode', reason: 'mode is observe' }] });
    const accusers = [says('us-west-2', [held]), says('us-east-2', [held])];
    expect(ask(accusers)).toEqual([]);
    expect(ask(accusers, isHeldByMode)).toMatchObject([{ group: 'orders' }]);
  });

  it('are never those of a cell that fewer than K regions accuse', () => {
    const someFinding = fc.record({
      cell: fc.constantFrom('orders', 'clicks'),
      kind: fc.constantFrom('impaired', 'reported', 'suspected', 'refused'),
      sinceMs: fc.nat(10_000),
    });
    const accuser = fc.record({
      region: fc.constantFrom(...regions),
      fresh: fc.boolean(),
      cells: fc.array(
        someFinding.map((each) => finding(each.cell, each)),
        { maxLength: 4 },
      ),
    });
    fc.assert(
      fc.property(fc.array(accuser, { maxLength: 5 }), (accusers) => {
        for (const { group } of ask(accusers)) {
          const voices = accusers.filter(
            ({ fresh, cells: said }) =>
              fresh &&
              said.some(({ cell, kind }) => cell === group && (kind === 'impaired' || kind === 'reported')),
          );
          expect(new Set(voices.map(({ region }) => region)).size).toBeGreaterThanOrEqual(2);
        }
      }),
    );
  });
});
