import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import { departureOf, UNKNOWN_DEPARTURE_MARGIN_MS } from '../../lib/operate/departure.ts';

const entry = (
  what: string,
  epoch: number,
  atMs: number,
  more: Partial<JournalEntry> = {},
): JournalEntry => ({
  ...{ what, epoch, atMs, who: 'conductor', why: 'votes', ...more },
});
const back = (epoch: number, atMs: number, ...groups: readonly string[]): JournalEntry =>
  entry('release', epoch, atMs, { after: { groups } });
const orders = { group: 'orders', epoch: 7, atMs: 900_000_000 };
/** Given oldest first. */
const departure = (...entries: readonly JournalEntry[]) =>
  departureOf(orders, 'primary', entries.toReversed());
const unknown = { epoch: 7, atMs: orders.atMs - UNKNOWN_DEPARTURE_MARGIN_MS };

describe('the departure of a cell', () => {
  it.each([
    ['is its only act', [entry('latch', 7, 700)], { epoch: 7, atMs: 700 }],
    [
      'begins with the act',
      [entry('evacuate begins', 7, 690), entry('latch', 7, 700)],
      { epoch: 7, atMs: 690 },
    ],
    [
      'is the first of several acts',
      [entry('latch', 5, 500), entry('failover --direct', 6, 600), entry('latch', 7, 700)],
      { epoch: 5, atMs: 500 },
    ],
    [
      'is after the cell was back',
      [entry('latch', 4, 400), back(5, 500, 'orders'), entry('latch', 6, 600), entry('latch', 7, 700)],
      { epoch: 6, atMs: 600 },
    ],
    [
      'is the earlier one where another cell was back',
      [entry('latch', 4, 400), back(5, 500, 'payments'), entry('latch', 7, 700)],
      { epoch: 4, atMs: 400 },
    ],
    [
      'is none of another cell, nor of an act that was overruled',
      [entry('latch', 5, 500, { group: 'payments' }), entry('latch', 7, 700), entry('latch', 8, 800)],
      { epoch: 7, atMs: 700 },
    ],
    ['is not known from an empty journal', [], unknown],
    ['is not known from one that begins later', [back(6, 600, 'orders')], unknown],
  ] as const)('%s', (_what, entries, wanted) => {
    expect(departure(...entries)).toEqual(wanted);
  });

  it('is a return, for the other region', () => {
    const journal = [
      back(7, 700, 'orders'),
      entry('latch', 6, 600, { group: 'orders' }),
      back(5, 500, 'orders'),
    ];
    expect(departureOf(orders, 'standby', journal)).toEqual({ epoch: 7, atMs: 700 });
  });

  it('is long before the latest act where the journal cannot be read', () => {
    expect(departureOf(orders, 'primary', undefined)).toEqual(unknown);
  });
});
