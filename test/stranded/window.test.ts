import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noCounts } from '../../lib/drain/counts.ts';
import { gapsIn } from '../../lib/stranded/coverage.ts';
import type { StrandedCell } from '../../lib/stranded/document.ts';
import { windowOf, without } from '../../lib/stranded/window.ts';
import { cellWith } from './cell-with.ts';

const window = fc
  .tuple(fc.nat({ max: 60 }), fc.integer({ min: 1, max: 30 }))
  .map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length }));
const holds = ({ fromMs, toMs }: { fromMs: number; toMs: number }, ms: number): boolean =>
  ms >= fromMs && ms < toMs;

describe('what is left of a window', () => {
  it('is each moment of it that was not done, once', () => {
    fc.assert(
      fc.property(window, fc.array(window, { maxLength: 6 }), (due, done) => {
        const left = without(due, done);
        for (let ms = 0; ms < 100; ms++) {
          const wanted = holds(due, ms) && !done.some((one) => holds(one, ms));
          expect(left.filter((one) => holds(one, ms))).toHaveLength(wanted ? 1 : 0);
        }
      }),
    );
  });
});

const cell: StrandedCell = cellWith();
const shard = (more: object) => ({
  ...{
    shardId: 's',
    records: 5,
    bytes: 5,
    probes: 0,
    oldestMs: 100,
    hoursLeft: 20,
    complete: false,
    ...more,
  },
});

describe('the window of a cell', () => {
  it('is from its oldest record to its newest', () => {
    expect(windowOf(cell, 1_000)).toEqual({ fromMs: 100, toMs: 151 });
    expect(windowOf(cell, 130)).toEqual({ fromMs: 100, toMs: 130 });
    expect(windowOf({ ...cell, oldestMs: null }, 1_000)).toBeUndefined();
  });

  it.each([
    ['a shard that could not be read', { complete: false, shards: [shard({})] }, /recovered/],
    ['nothing that could be read', { complete: false }, /recovered/],
    [
      'a shard that was not counted in time',
      { complete: false, shards: [shard({ cut: 'time' })] },
      /--within/,
    ],
    ['records from the future', { oldestMs: 2_000 }, /clock/],
  ] as const)('is not given for %s', (_what, more, words) => {
    expect(windowOf({ ...cell, ...more }, 1_000)).toMatchObject({ problem: expect.stringMatching(words) });
  });

  it('is given for a shard with more records than were counted', () => {
    const cut = { complete: false, shards: [shard({ cut: 'records' })] };
    expect(windowOf({ ...cell, ...cut }, 10_000)).toEqual({ fromMs: 100 - 5_000, toMs: 10_000 });
  });
});

describe('a drain', () => {
  const due = { fromMs: 100, toMs: 1_000 };
  const whole = {
    cell,
    due,
    later: 0,
    sameMove: true,
    copied: [{ ...due, counts: noCounts, expired: false }],
  };
  const [consumer] = cell.consumers;

  it('covers what is stranded when it copied all of the window, and nothing came later', () => {
    expect(gapsIn(whole)).toEqual([]);
  });

  it.each([
    ['a part is left', { copied: [] }, /not all of the window/],
    ['a later record', { later: 2 }, /2 records arrived since/],
    ['nobody knows of later records', { later: null }, /is not known/],
    ['another move', { sameMove: false }, /was moved meanwhile/],
    ['expired before', { cell: { ...cell, mayHaveExpired: true } }, /expired/],
    ['expired meanwhile', { copied: [{ ...due, counts: noCounts, expired: true }] }, /expired/],
    ['damage', { copied: [{ ...due, counts: { ...noCounts, damaged: 1 }, expired: false }] }, /look at them/],
    [
      'a guess',
      { cell: { ...cell, consumers: [{ ...consumer, from: { by: 'evacuation', because: '', atMs: 1 } }] } },
      /KCL application app had read: the window is a guess/,
    ],
  ] as const)('does not cover it: %s', (_what, more, words) => {
    expect(gapsIn({ ...whole, ...more } as typeof whole)).toEqual([expect.stringMatching(words)]);
  });
});
