import { expect, it } from 'vitest';
import { type Outcome, unmetExpectations } from '../../lib/scenario/expectation.ts';

const moved: Outcome = {
  verdict: 'failover',
  diagnosis: 'KinesisWriteImpaired',
  flips: 1,
  strays: [],
  flipMs: 20_000,
  rtoMs: 30_000,
  cut: false,
  firstFaultMs: 5_000,
};
const held: Outcome = {
  verdict: 'hold',
  diagnosis: 'Healthy',
  flips: 0,
  strays: [],
  flipMs: null,
  rtoMs: null,
  cut: false,
  firstFaultMs: 5_000,
};
const failover = { verdict: 'failover', diagnosis: 'KinesisWriteImpaired', withinMs: 60_000 } as const;

it('a failover as it was expected leaves nothing unmet', () => {
  expect(unmetExpectations(failover, moved)).toEqual([]);
  expect(unmetExpectations({ verdict: 'failover' }, { ...moved, rtoMs: 3_600_000 })).toEqual([]);
});

it.each([
  ['another verdict', held, /expected failover, saw hold/],
  ['another diagnosis', { ...moved, diagnosis: 'RegionUnreachable' }, /observers said RegionUnreachable/],
  ['a second move', { ...moved, flips: 2 }, /DNS moved 2 times/],
  ['a signal elsewhere', { ...moved, strays: ['orders ended in us-east-1'] }, /orders ended in us-east-1/],
  ['producers that did not arrive', { ...moved, rtoMs: null }, /did not settle/],
  ['a late recovery', { ...moved, rtoMs: 60_001 }, /took 60001 ms, expected within 60000 ms/],
])('%s is unmet', (_, outcome: Outcome, message) => {
  expect(unmetExpectations(failover, outcome).join('\n')).toMatch(message);
});

it('a hold may have to come with its diagnosis, but not when it was cut short', () => {
  const hold = { verdict: 'hold', diagnosis: 'CloudWatchBlind' } as const;
  expect(unmetExpectations(hold, held)).toEqual([
    'expected diagnosis CloudWatchBlind, observers said Healthy',
  ]);
  expect(unmetExpectations(hold, { ...held, cut: true })).toEqual([]);
  expect(unmetExpectations(hold, { ...held, diagnosis: 'CloudWatchBlind' })).toEqual([]);
});

it('a failover is held to its diagnosis even when it was cut short', () => {
  const outcome = { ...moved, diagnosis: 'RegionUnreachable', cut: true };
  expect(unmetExpectations(failover, outcome)).toHaveLength(1);
});

it('a move that should not have been is unmet once, not for how it was made', () => {
  expect(unmetExpectations({ verdict: 'hold' }, { ...moved, flips: 3, rtoMs: null })).toEqual([
    'expected hold, saw failover',
  ]);
});

it('counts from the moment that the expectation names, so that a second phase can be judged', () => {
  const second = { ...failover, afterMs: 1_205_000 };
  const late = (afterMs: number): Outcome => ({
    ...moved,
    flipMs: 1_200_000 + afterMs - 10_000,
    rtoMs: 1_200_000 + afterMs,
  });
  expect(unmetExpectations(second, late(30_000))).toEqual([]);
  expect(unmetExpectations(second, late(60_001))).toEqual(['took 60001 ms, expected within 60000 ms']);
  // The producers arrive in time, and DNS has moved too early.
  expect(unmetExpectations(second, late(5_000))).toEqual(['moved 5000 ms before anything was to move']);
});
