import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accusingKinds,
  type CellFinding,
  type CellFindingKind,
  cellFindingKinds,
} from '../../lambda/core/cell-findings.ts';
import type { CellAccuser } from '../../lambda/core/cell-quorum.ts';
import { cellTroubles, cellVoices, saying, worstTrouble } from '../../lambda/core/cell-voices.ts';
import type { GuardRule } from '../../lambda/core/guards.ts';

const NOW_MS = 1_800_000_000_000;
const kinds = Object.keys(cellFindingKinds) as CellFindingKind[];
const regions = ['us-west-2', 'us-east-2', 'eu-west-1'];

const finding = (kind: CellFindingKind, change: Partial<CellFinding> = {}): CellFinding => ({
  cell: 'orders',
  group: 'orders',
  kind,
  sinceMs: NOW_MS - 5_000,
  reason: '',
  refusals: [],
  ...change,
});
const heldBy = (rule: GuardRule, heldMs: number): CellFinding =>
  finding('impaired', { refusals: [{ rule, reason: '' }], sinceMs: NOW_MS - heldMs });
const said = (...findings: readonly (readonly CellFinding[])[]): readonly CellAccuser[] =>
  findings.map((cells, n) => ({ region: regions[n] ?? `r${n}`, fresh: true, cells }));
const trouble = (...findings: readonly (readonly CellFinding[])[]) =>
  worstTrouble({ accusers: said(...findings), votesToEvacuate: 2, nowMs: NOW_MS });

describe('what observers say of a cell', () => {
  it('is in order: the worst kind first, and of one kind what most observers say', () => {
    const voices = cellVoices(
      said(
        [finding('suspected', { cell: 'a' }), finding('suspected', { cell: 'b' })],
        [finding('suspected', { cell: 'b' }), finding('impaired', { cell: 'c' })],
        [finding('refused', { cell: 'c' })],
      ),
    );
    expect(voices.map(({ cell, kind }) => [cell, kind])).toEqual([
      ['c', 'impaired'],
      ['b', 'suspected'],
      ['a', 'suspected'],
    ]);
    expect(voices.map((about) => saying(about).map(({ region }) => region))).toEqual([
      ['us-east-2'],
      ['us-west-2', 'us-east-2'],
      ['us-west-2'],
    ]);
  });

  it('does not count an observer twice, nor one whose word has expired', () => {
    const twice = cellVoices(said([finding('impaired'), finding('impaired')]));
    expect(twice[0]?.voices).toHaveLength(1);
    const [stale] = said([finding('impaired')]);
    expect(cellVoices([{ ...(stale as CellAccuser), fresh: false }])).toEqual([]);
  });
});

describe('the trouble of a cell', () => {
  it.each<[string, readonly (readonly CellFinding[])[], keyof typeof cellTroubles]>([
    ['nothing is said', [], 'none'],
    ['K accuse it', [[finding('impaired')], [finding('reported')]], 'impaired'],
    ['one accuses it alone', [[finding('impaired')]], 'suspected'],
    ['one has accused it for a minute, and a guard holds it', [[heldBy('mode', 60_000)]], 'impaired'],
    ['a guard holds it, not for a minute yet', [[heldBy('mode', 59_999)]], 'suspected'],
    ['its failure is over', [[heldBy('over-already', 600_000)]], 'none'],
    ['it has moved, in the eyes of one', [[heldBy('in-standby', 600_000)]], 'none'],
    [
      'it has moved, and K still see it fail',
      [[heldBy('in-standby', 1)], [heldBy('in-standby', 1)]],
      'impaired',
    ],
    ['K accuse the region', [[heldBy('moves-with-region', 1)], [heldBy('moves-with-region', 1)]], 'none'],
    [
      'K observers that do not trust themselves',
      [[heldBy('observer-sick', 1)], [heldBy('observer-sick', 1)]],
      'none',
    ],
    ['K suspect it', [[finding('suspected')], [finding('suspected')]], 'suspected'],
    ['K are refused', [[finding('refused')], [finding('refused')]], 'suspected'],
    ['one suspects it', [[finding('suspected')]], 'none'],
    [
      'K suspect a cell each',
      [[finding('suspected', { cell: 'a' })], [finding('suspected', { cell: 'b' })]],
      'none',
    ],
    [
      'one cell is suspected, another is accused',
      [
        [finding('suspected', { cell: 'a' }), finding('impaired', { cell: 'b' })],
        [finding('impaired', { cell: 'b' })],
      ],
      'impaired',
    ],
  ])('when %s is told', (_what, findings, expected) => {
    expect(trouble(...findings)).toBe(cellTroubles[expected]);
  });

  it('is that of a cell whose producers have failed for a minute, by the word of K, and may not move it', () => {
    const reported = (sinceMs: number) => [finding('unproven', { cell: 'a', sinceMs })];
    const [lately, long] = [reported(NOW_MS - 30_000), reported(NOW_MS - 60_000)];
    expect(trouble(long, long)).toBe(cellTroubles.impaired);
    expect(trouble(long, lately)).toBe(cellTroubles.suspected);
    expect(trouble(long)).not.toBe(cellTroubles.impaired);
  });

  it('is never impaired while fewer than K accuse a cell and no guard holds it, whoever says what', () => {
    const any = fc.record({
      cell: fc.constantFrom('a', 'b', 'c'),
      kind: fc.constantFrom(...kinds.filter((kind) => kind !== 'unproven')),
      sinceMs: fc.integer({ min: NOW_MS - 600_000, max: NOW_MS }),
    });
    fc.assert(
      fc.property(fc.array(fc.array(any, { maxLength: 6 }), { maxLength: 5 }), (drawn) => {
        const findings = drawn.map((some) => some.map((one) => finding(one.kind, one)));
        // The last word of an observer on a cell is its voice.
        const accuses = (some: readonly CellFinding[], cell: string): boolean =>
          accusingKinds.has(some.findLast((one) => one.cell === cell)?.kind ?? 'refused');
        const accusers = (cell: string) => findings.filter((some) => accuses(some, cell)).length;
        const worst = Math.max(...['a', 'b', 'c'].map(accusers));
        expect(trouble(...findings) === cellTroubles.impaired).toBe(worst >= 2);
      }),
    );
  });
});
