import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BaselineFailures } from '../../lib/simulator/baseline.ts';
import { Agenda, ranks } from '../../lib/simulator/events.ts';
import { Dice, seedFor, stream } from '../../lib/simulator/random.ts';
import { Timeline } from '../../lib/simulator/timeline.ts';

describe('chance', () => {
  test('a die shows the same at the same address, whatever was drawn before', () => {
    const dice = new Dice();
    const first = dice.at(1, 2, 3).next();
    dice.at(9, 9).next();

    expect(dice.at(1, 2, 3).next()).toBe(first);
    expect(dice.at(1, 2, 4).next()).not.toBe(first);
  });

  test('purposes have seeds of their own', () => {
    const seeds = ['noise', 'clock'].flatMap((purpose) => [0, 1, 2].map((n) => seedFor(5, purpose, n)));

    expect(new Set(seeds).size).toBe(seeds.length);
  });

  test('dice and streams are uniform, and neighbouring seeds are not alike', () => {
    const draws = 20_000;
    const dice = new Dice();
    const tenths = new Array<number>(10).fill(0);
    let together = 0;
    for (let n = 0; n < draws; n++) {
      const bin = Math.floor(dice.at(3, n).next() * 10);
      tenths[bin] = (tenths[bin] ?? 0) + 1;
      together += (stream(n)() - 0.5) * (stream(n + 1)() - 0.5) * 12;
    }

    for (const count of tenths) expect(Math.abs(count - draws / 10)).toBeLessThan(200);
    expect(Math.abs(together / draws)).toBeLessThan(0.03);
  });

  test('baseline failures come at their rate, and in the same slots however they are asked for', () => {
    const options = { seed: 4, rate: 0.01, slots: 9 };
    const walked = new BaselineFailures(options);
    const all = Array.from({ length: 5_000 }, (_, round) => walked.take(round));
    const skipping = new BaselineFailures(options);

    for (const round of [3, 700, 701, 4_999]) expect(skipping.take(round)).toEqual(all[round]);
    expect(Math.abs(all.flat().length - 450)).toBeLessThan(100);
  });
});

describe('the agenda', () => {
  test('goes by time, then by rank, then by number', () => {
    const agenda = new Agenda(0);
    const done: string[] = [];
    const add = (atMs: number, rank: (typeof ranks)[keyof typeof ranks], index: number): void =>
      agenda.at(atMs, { rank, index, run: () => done.push(`${atMs} ${rank} ${index}`) });
    add(5, ranks.round, 1);
    add(5, ranks.round, 0);
    add(5, ranks.takeover, 7);
    add(1, ranks.producer, 0);
    agenda.runUntil(10, () => true);

    expect(done).toEqual(['1 7 0', '5 1 7', '5 3 0', '5 3 1']);
    expect(agenda.nowMs).toBe(10);
  });
});

describe('a timeline', () => {
  test('answers as a plain search would, for times that go forward', () => {
    const span = fc.record({ atMs: fc.nat(1_000_000), forMs: fc.integer({ min: 1, max: 200_000 }) });
    fc.assert(
      fc.property(fc.array(span), fc.array(fc.nat(1_200_000)), (made, times) => {
        const spans = made.map(({ atMs, forMs }) => ({ atMs, untilMs: atMs + forMs }));
        const timeline = new Timeline(spans);
        for (const nowMs of times.toSorted((a, b) => a - b)) {
          const active = spans.filter(({ atMs, untilMs }) => atMs <= nowMs && nowMs < untilMs);
          expect(timeline.activeAt(nowMs).length).toBe(active.length);
          const coming = spans
            .filter(({ untilMs }) => untilMs > nowMs)
            .map(({ atMs }) => Math.max(atMs, nowMs));
          expect(timeline.nextMs(nowMs)).toBe(Math.min(Number.POSITIVE_INFINITY, ...coming));
        }
      }),
    );
  });
});
