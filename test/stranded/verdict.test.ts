import { describe, expect, it } from 'vitest';
import type { DrainedMark, StrandedCell, StrandedFinding } from '../../lib/stranded/document.ts';
import type { PlaceSource } from '../../lib/stranded/positions.ts';
import type { CellQuestion } from '../../lib/stranded/question.ts';
import { failedCell } from '../../lib/stranded/summary.ts';
import { documentOf, isStranded } from '../../lib/stranded/verdict.ts';
import { cellWith } from './cell-with.ts';

const drained = (more: Partial<DrainedMark>): DrainedMark => ({ epoch: 3, atMs: 1_000, ...more });
const window = { fromMs: 100, toMs: 500 };

describe('a cell is stranded', () => {
  it.each([
    ['without a mark', {}, true],
    ['where traffic never left', { moved: false }, false],
    ['with nothing unread', { records: 0, oldestMs: null, newestMs: null }, false],
    ['not within what was copied', { drained: drained({ window }) }, false],
    ['before what was copied', { drained: drained({ window }), oldestMs: 99 }, true],
    ['after what was copied', { drained: drained({ window }), newestMs: 500 }, true],
    ['not before a person’s mark', { drained: drained({}), newestMs: 999 }, false],
    ['after a person’s mark', { drained: drained({}), newestMs: 1_000 }, true],
  ] as const)('%s', (_what, more, stranded) => {
    const cell: StrandedCell = { ...cellWith(), oldestMs: 100, newestMs: 150, ...more };
    expect(isStranded(cell)).toBe(stranded);
  });
});

const okOf = (cell: StrandedCell, findings: readonly StrandedFinding[] = []): boolean =>
  documentOf({
    ...{ atMs: 2_000, region: 'us-east-1', findings: [], commandFor: () => 'drain' },
    looks: [{ cell, findings, known: true }],
  }).ok;
const bad: StrandedFinding = { level: 'bad', cell: 'orders', text: 'its leases were deleted' };

describe('nothing is stranded', () => {
  const empty = (by: PlaceSource): StrandedCell => ({
    ...{ ...cellWith(by), records: 0, oldestMs: null, newestMs: null },
  });

  it('only where that is certain', () => {
    expect(okOf(empty('lease'))).toBe(true);
    expect(okOf(empty('iterator age'))).toBe(true);
    expect(okOf(empty('evacuation'))).toBe(false);
    expect(okOf(empty('lease'), [bad])).toBe(false);
  });

  it('also where a person has judged, or traffic never left', () => {
    expect(okOf({ ...empty('evacuation'), drained: drained({}) }, [bad])).toBe(true);
    expect(okOf({ ...empty('evacuation'), moved: false }, [bad])).toBe(true);
  });
});

it('is not known where the stream cannot be asked, in whole sentences', () => {
  const question: CellQuestion = {
    ...{ cell: 'orders', place: { region: 'us-east-1', stream: 'orders' }, moved: true },
    ...{ role: 'primary', drained: null, shared: [] },
  };
  const textOf = (message: string) => failedCell(question, new Error(message)).findings[0]?.text;
  expect(textOf('The operation was aborted due to timeout')).toMatch(/due to timeout\. What is stranded/);
  expect(textOf('It failed.')).toMatch(/^It failed\. What/);
});
