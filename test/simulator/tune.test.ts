import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameOf, observersOf, paretoEfficient, tuneGrid } from '../../lib/simulator/tune.ts';
import { systemWith } from './systems.ts';

const system = systemWith();
const names = (points: readonly Parameters<typeof nameOf>[0][]) => points.map(nameOf);

describe('the policies to compare', () => {
  it('begin with the one at hand, and are each there once', () => {
    const { points } = tuneGrid(system);
    expect(points.filter(({ own }) => own)).toEqual([{ system, own: true }]);
    expect(points[0]?.own).toBe(true);
    expect(new Set(names(points)).size).toBe(points.length);
  });

  it('have every K from 2 to N-1, in regions that are in one role each', () => {
    const { points } = tuneGrid(system);
    const quorums = new Set(
      points.map((point) => `${point.system.policy.votesToEvacuate} of ${observersOf(point)}`),
    );
    expect(quorums).toEqual(new Set(['2 of 3', '2 of 4', '3 of 4', '2 of 5', '3 of 5', '4 of 5']));
    for (const { regions } of points.map((point) => point.system)) {
      const all = [regions.primary, regions.standby, ...regions.witnesses];
      expect(new Set(all).size).toBe(all.length);
    }
  });

  it('leave out what a config would refuse, and say why', () => {
    const tight = systemWith({ delivery: { rtoMs: 47_000 } });
    const { points, refused } = tuneGrid(tight);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ reason }) => reason.startsWith('delivery.rtoMs 47000 ms cannot be kept'))).toBe(
      true,
    );
    expect(names(points).filter((name) => names(refused).includes(name))).toEqual([]);
    const slow = points.filter((point) => !point.own && point.system.policy.blipMs === 15_000);
    expect(slow).toEqual([]);
  });
});

describe('Pareto efficiency', () => {
  it('belongs to those that no other beats in one respect without losing in another', () => {
    expect(
      paretoEfficient([
        [1, 9],
        [5, 5],
        [9, 1],
        [5, 6],
        [9, 9],
      ]),
    ).toEqual([true, true, true, false, false]);
  });

  it('is shared by equals, and lost by what never decides', () => {
    expect(
      paretoEfficient([
        [1, 1],
        [1, 1],
        [Number.POSITIVE_INFINITY, 1],
      ]),
    ).toEqual([true, true, false]);
  });

  it('leaves every loser one winner that beats it', () => {
    const costs = fc.array(fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(costs, (rows) => {
        const flags = paretoEfficient(rows);
        expect(flags).toContain(true);
        const winners = rows.filter((_, index) => flags[index]);
        for (const [index, row] of rows.entries()) {
          const beaten = winners.some(
            (other) => other.every((cost, i) => cost <= (row[i] ?? 0)) && `${other}` !== `${row}`,
          );
          expect(beaten).toBe(!flags[index]);
        }
      }),
    );
  });
});
