import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderChecker } from '../../../lib/consumer/index.ts';
import { anyPlan, EAST, type Landed, type Streams, streamsOf, WEST } from './model.ts';
import { readAll } from './reading.ts';

const comesAfter = (one: Landed, other: Landed): boolean =>
  one.epoch === other.epoch ? one.sequence > other.sequence : one.epoch > other.epoch;
const keyOf = ({ producerId, partitionKey }: Pick<Landed, 'producerId' | 'partitionKey'>): string =>
  `${producerId} ${partitionKey}`;
const isSame = (one: Landed, other: Landed): boolean =>
  keyOf(one) === keyOf(other) && one.epoch === other.epoch && one.sequence === other.sequence;
const all = (streams: Streams): readonly Landed[] => Object.values(streams).flat();

describe('whatever moves, fails, is lost on the way back, crashes and is drained', () => {
  it('nothing is wrong, in whatever turns the regions are read', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(anyPlan(), fc.integer(), (plan, seed) => {
        const { verdicts, wrong, forgotten } = readAll(streamsOf(plan), seed);
        expect(wrong).toEqual([]);
        expect(forgotten).toBe(0);
        for (const { verdict } of verdicts) kinds.add(verdict.kind);
      }),
      { numRuns: 300 },
    );
    // The model does what the table is about.
    expect([...kinds].toSorted()).toEqual(['ahead', 'before', 'copy', 'elsewhere', 'first', 'late', 'next']);
  });

  it('a record that no region has is missing', () => {
    fc.assert(
      fc.property(anyPlan(), fc.nat(), fc.integer(), (plan, choice, seed) => {
        const streams = streamsOf(plan);
        const lost = chosen(
          all(streams).filter((one) => isMissed(one, all(streams))),
          choice,
        );
        fc.pre(lost !== undefined);
        const without = mapped(streams, (records) => records.filter((one) => !isSame(one, lost)));
        const { wrong } = readAll(without, seed);
        expect(wrong).toMatchObject([
          {
            kind: 'missing',
            producerId: lost.producerId,
            partitionKey: lost.partitionKey,
            epoch: lost.epoch,
          },
        ]);
        const [one] = wrong;
        if (one?.kind === 'missing')
          expect([one.from <= lost.sequence, lost.sequence <= one.to]).toEqual([true, true]);
      }),
      { numRuns: 80 },
    );
  });

  it('two records that change places in a stream are reordered', () => {
    fc.assert(
      fc.property(anyPlan(), fc.nat(), fc.integer(), (plan, choice, seed) => {
        const streams = streamsOf(plan);
        const pair = chosen(swappable(streams), choice);
        fc.pre(pair !== undefined);
        const { early, late } = pair;
        const swapped = mapped(streams, (records) =>
          records.map((one) =>
            one === early
              ? { ...late, arrivedAtMs: early.arrivedAtMs }
              : one === late
                ? { ...early, arrivedAtMs: late.arrivedAtMs }
                : one,
          ),
        );
        const { wrong } = readAll(swapped, seed);
        const { region, epoch, sequence } = early;
        expect(wrong.filter(({ kind }) => kind === 'reordered')).toMatchObject([
          { region, epoch, from: sequence, to: sequence },
        ]);
        // Where they are far apart in time, what lies between is missing when the one that came too early is settled.
        for (const one of wrong) expect(keyOf(one)).toBe(keyOf(early));
      }),
      { numRuns: 80 },
    );
  });

  it('a reader may begin at any time, in all regions at once', () => {
    const quiet = { lost: fc.constant(0), crash: fc.constant(false), drain: fc.constant(false) };
    fc.assert(
      fc.property(
        anyPlan(quiet),
        fc.integer({ min: 0, max: 150_000 }),
        fc.integer(),
        (plan, fromMs, seed) => {
          const SKEW_MS = 2_500;
          const later = mapped(streamsOf(plan), (records, region) =>
            records.filter(({ arrivedAtMs }) => arrivedAtMs >= fromMs + (region === WEST ? SKEW_MS : 0)),
          );
          expect(readAll(later, seed).wrong).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

it('one region without a move shows nothing but the next record and copies', () => {
  const still = { moves: fc.constant([]), crash: fc.constant(false) };
  fc.assert(
    fc.property(anyPlan(still), (plan) => {
      const checker = new OrderChecker();
      const kinds = new Set(streamsOf(plan)[EAST]?.map((record) => checker.check(record).kind));
      for (const kind of kinds) expect(['first', 'next', 'duplicate', 'behind']).toContain(kind);
    }),
    { numRuns: 40 },
  );
});

function chosen<Value>(values: readonly Value[], choice: number): Value | undefined {
  return values[choice % Math.max(1, values.length)];
}

function mapped(
  streams: Streams,
  change: (records: readonly Landed[], region: string) => readonly Landed[],
): Streams {
  return Object.fromEntries(
    Object.entries(streams).map(([region, records]) => [region, change(records, region)]),
  );
}

/** A record before it and the one right after it in its epoch are there to show that it is not. */
function isMissed(record: Landed, records: readonly Landed[]): boolean {
  const ofKey = records.filter((one) => keyOf(one) === keyOf(record));
  const isNext = (one: Landed) =>
    one.epoch === record.epoch && one.sequence === record.sequence + 1 && !one.first;
  return ofKey.some((one) => comesAfter(record, one)) && ofKey.some(isNext);
}

/** Pairs of records of a key that follow each other in a stream, after another one of it, and are nowhere else. */
function swappable(streams: Streams): readonly { readonly early: Landed; readonly late: Landed }[] {
  const once = (record: Landed) => all(streams).filter((one) => isSame(one, record)).length === 1;
  return Object.values(streams).flatMap((records) =>
    records.flatMap((early, at) => {
      const before = records.slice(0, at).filter((one) => keyOf(one) === keyOf(early));
      const late = records.slice(at + 1).find((one) => keyOf(one) === keyOf(early));
      if (late === undefined || !before.some((one) => comesAfter(early, one))) return [];
      const isOrdered = comesAfter(late, early) && before.every((one) => comesAfter(early, one));
      return isOrdered && once(early) && once(late) ? [{ early, late }] : [];
    }),
  );
}
