import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CellCapacity, highest, type Load, shortfalls } from '../../lambda/core/fitness.ts';
import {
  type CellReading,
  capacityFrom,
  capacitySchema,
  oldestFirst,
  type StreamReading,
} from '../../lambda/core/survey.ts';

const load = (bytesPerSecond: number, recordsPerSecond: number): Load => ({
  bytesPerSecond,
  recordsPerSecond,
});
const shards = (count: number) => ({ mode: 'provisioned', shards: count }) as const;
const reading = (primary: StreamReading, standby: StreamReading): CellReading => ({
  cell: 'orders',
  atMs: 2_000,
  primary,
  standby,
});
const known: CellCapacity = {
  cell: 'orders',
  surveyedAtMs: 1_000,
  peak: load(5_000, 50),
  primary: shards(8),
  standby: { mode: 'on-demand', peak: load(10, 1) },
};

describe('what a look says of a cell', () => {
  it('is the size of both streams, and the higher load of either region, wherever traffic was', () => {
    const found = reading(
      { size: shards(4), peak: load(3_000, 10) },
      { size: shards(2), peak: load(1_000, 30) },
    );
    const expected = {
      cell: 'orders',
      surveyedAtMs: 2_000,
      peak: load(3_000, 30),
      primary: shards(4),
      standby: shards(2),
    };
    expect(capacityFrom(found, undefined)).toEqual(expected);
    expect(capacityFrom(found, known)).toEqual(expected);
  });

  it('of an impaired primary leaves what was known of it, and its peak, and renews the standby', () => {
    const found = reading({}, { size: shards(2), peak: load(1_000, 90) });
    expect(capacityFrom(found, known)).toEqual({
      cell: 'orders',
      surveyedAtMs: 2_000,
      peak: load(5_000, 90),
      primary: shards(8),
      standby: shards(2),
    });
  });

  it('is nothing when nothing could be read', () => {
    expect(capacityFrom(reading({}, {}), known)).toBeUndefined();
  });

  it('on demand without its load keeps what it was scaled for, or is unknown: it is not taken for small', () => {
    const size = { mode: 'on-demand', warmMibPerSecond: 9 } as const;
    const found = reading({ peak: load(1e9, 1) }, { size });
    expect(capacityFrom(found, known)?.standby).toEqual({ ...size, peak: load(10, 1) });
    expect(capacityFrom(found, undefined)).not.toHaveProperty('standby');
    expect(capacityFrom(found, { ...known, standby: shards(1) })).not.toHaveProperty('standby');
  });

  it('of a stream that is not there is a shortfall, once there is a load to take', () => {
    const found = capacityFrom(
      reading({ size: shards(4), peak: load(10, 1) }, { size: shards(0), peak: load(0, 0) }),
      undefined,
    );
    expect(shortfalls(found === undefined ? [] : [found], 'standby')).toHaveLength(1);
  });

  const loads = fc.record({ bytesPerSecond: fc.nat(1e9), recordsPerSecond: fc.nat(1e6) });
  const readings = fc.record(
    {
      size: fc.oneof(
        fc.nat(500).map(shards),
        fc.record(
          { mode: fc.constant('on-demand' as const), warmMibPerSecond: fc.nat(500) },
          { requiredKeys: ['mode'] },
        ),
      ),
      peak: loads,
    },
    { requiredKeys: [] },
  );

  it('can be stored whatever was read, and never forgets a load while a region is silent', () => {
    fc.assert(
      fc.property(readings, readings, readings, readings, (a, b, c, d) => {
        const before = capacityFrom(reading(a, b), undefined);
        const after = capacityFrom(reading(c, d), before);
        for (const stored of [before, after]) {
          if (stored === undefined) continue;
          expect(capacitySchema.parse(stored)).toEqual(stored);
          // What DynamoDB's client refuses to write.
          expect(Object.values(stored)).not.toContain(undefined);
        }
        const silent = c.peak === undefined || d.peak === undefined;
        if (before === undefined || after === undefined || !silent) return;
        expect(highest([before.peak, after.peak])).toEqual(after.peak);
      }),
    );
  });
});

describe('the order of a survey', () => {
  it('is those never surveyed, then the oldest; else as in the config', () => {
    const cells = ['a', 'b', 'c', 'd', 'e'].map((cell) => ({ cell }));
    const surveyed = (cell: string, surveyedAtMs: number): CellCapacity => ({ ...known, cell, surveyedAtMs });
    const order = oldestFirst(cells, [surveyed('a', 30), surveyed('c', 10), surveyed('d', 10)]);
    expect(order.map(({ cell }) => cell)).toEqual(['b', 'e', 'c', 'd', 'a']);
  });
});
