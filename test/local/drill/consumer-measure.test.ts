import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Processed } from '../../../lib/local/consumers/ledger.ts';
import { type ConsumerFacts, countProcessed } from '../../../lib/local/drill/consumer-measure.ts';
import type { Acknowledgement } from '../../../lib/local/drill/events.ts';

const FAULT = 1_000_000;
const PUT_EVERY_MS = 100;

/** Puts of one producer, the first one so long after the fault, each with its receipt at once. */
const puts = (producer: string, fromMs: number, count: number): readonly Acknowledgement[] =>
  Array.from({ length: count }, (_, n) => {
    const putAtMs = FAULT + fromMs + n * PUT_EVERY_MS;
    return { id: `run-${producer}-${n}`, producer, region: 'east', putAtMs, atMs: putAtMs };
  });
const processedAfter = (
  list: readonly Acknowledgement[],
  delayOf: (put: Acknowledgement, index: number) => number,
): readonly Processed[] => list.map((put, n) => ({ id: put.id, atMs: put.putAtMs + delayOf(put, n) }));

const base = {
  ...{ onDisk: [], run: 'run', keys: 20, faultAtMs: FAULT, endMs: FAULT + 60_000 },
  ...{ readAgainAtMs: FAULT + 100_000, producers: ['p'] },
};
const count = (
  acknowledgements: readonly Acknowledgement[],
  processed: Readonly<Record<string, readonly Processed[]>>,
  facts: Partial<ConsumerFacts> = {},
) => countProcessed({ ...base, acknowledgements, processed: new Map(Object.entries(processed)), ...facts });

describe('what consumers did', () => {
  it('counts what nobody processed, unless it is still on a disk', () => {
    const list = puts('p', 0, 4);
    const east = processedAfter(list.slice(0, 2), () => 500);
    expect(count(list, { east })).toMatchObject({ processed: 2, lost: 2 });
    expect(count(list, { east }, { onDisk: ['run-p-3'] })).toMatchObject({ processed: 2, lost: 1 });
  });

  it('counts copies, wherever they were processed, and no record of another drill', () => {
    const list = puts('p', 0, 2);
    const east = [...processedAfter(list, () => 500), { id: 'earlier-p-0', atMs: FAULT }];
    const west = processedAfter(list.slice(1), () => 900);
    expect(count(list, { east, west })).toMatchObject({ processed: 2, duplicates: 1 });
  });

  it('calls it out of order only within a consumer; between two regions a record is late', () => {
    const [first, , ...rest] = puts('p', 0, 21);
    const [last] = rest.slice(-1);
    if (first === undefined || last === undefined) throw new Error('no puts');
    // Records 0 and 20 have one key.
    const list = [first, last];
    const later = { id: last.id, atMs: FAULT + 3_000 };
    const earlier = { id: first.id, atMs: FAULT + 9_000 };
    expect(count(list, { east: [later, earlier] })).toMatchObject({ reordered: 1, late: 0 });
    expect(count(list, { east: [earlier], west: [later] })).toMatchObject({ reordered: 0, late: 1 });
    expect(count(list, { east: [{ ...earlier, atMs: FAULT }, later] })).toMatchObject({
      reordered: 0,
      late: 0,
    });
  });

  it('counts as stranded what was processed only once its region was read again', () => {
    const list = puts('p', -2_000, 3);
    const east = [
      ...processedAfter(list.slice(0, 1), () => 500),
      ...list.slice(1).map(({ id }) => ({ id, atMs: base.readAgainAtMs + 10 })),
    ];
    expect(count(list, { east })).toMatchObject({ processed: 3, lost: 0, stranded: 2 });
  });
});

describe('recovery as consumers see it', () => {
  /** From 5 s before the fault to 30 s after it. */
  const list = puts('p', -5_000, 350);
  const during = (fromMs: number, toMs: number) => (put: Acknowledgement) =>
    put.putAtMs >= FAULT + fromMs && put.putAtMs < FAULT + toMs ? FAULT + toMs - put.putAtMs + 3_100 : 800;

  it('is when records are processed within the normal delay again', () => {
    const west = processedAfter(list, during(0, 18_000));
    const { rtoMs, normalDelayMs } = count(list, { west });
    expect(normalDelayMs).toBe(2_000);
    // Of five seconds, 5 % may be late: the first such window begins two or three puts before the end.
    expect(rtoMs).toBeGreaterThan(18_000);
    expect(rtoMs).toBeLessThanOrEqual(18_800);
  });

  it('is not claimed for a relapse, nor while one producer is late', () => {
    const relapsed = processedAfter(list, (put, n) =>
      Math.max(during(0, 8_000)(put), n === 0 ? 0 : during(12_000, 16_000)(put)),
    );
    expect(count(list, { west: relapsed }).rtoMs).toBeGreaterThan(16_000);
    const other = puts('q', -5_000, 350);
    const late = processedAfter(other, during(0, 20_000));
    const west = [...processedAfter(list, during(0, 8_000)), ...late];
    const rto = (producers: readonly string[]) => count([...list, ...other], { west }, { producers }).rtoMs;
    expect(rto(['p'])).toBeLessThan(9_000);
    expect(rto(['p', 'q'])).toBeGreaterThan(20_000);
  });

  it('is never when the last records are late, and 0 when none was', () => {
    expect(count(list, { west: processedAfter(list, during(0, 30_000)) }).rtoMs).toBeNull();
    expect(count(list, { west: processedAfter(list, () => 900) }).rtoMs).toBe(0);
    expect(count(list, { west: [] }).rtoMs).toBeNull();
  });

  it('takes what was normal from records that the fault did not catch', () => {
    const slowBefore = processedAfter(list, ({ putAtMs }) => (putAtMs < FAULT - 1_000 ? 1_600 : 70_000));
    // Records of the last second before the fault waited for more than a minute: that is no normal delay.
    expect(count(list, { east: slowBefore }).normalDelayMs).toBe(2_400);
  });

  it('does not depend on the order in which receipts and records are listed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 6_000 }), { minLength: 120, maxLength: 120 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (delays, random) => {
          const some = puts('p', -2_000, 120);
          const west = processedAfter(some, (_put, n) => delays[n] ?? 0);
          const shuffled = some
            .map((put) => ({ put, at: random.next().value as number }))
            .toSorted((a, b) => a.at - b.at)
            .map(({ put }) => put);
          const [one, other] = [count(some, { west }), count(shuffled, { west })];
          expect(other).toEqual(one);
          expect(one.processed + one.lost).toBe(120);
        },
      ),
      { numRuns: 50 },
    );
  });
});
