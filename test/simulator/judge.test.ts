import { describe, expect, it } from 'vitest';
import type { Scenario } from '../../lib/scenario/schema.ts';
import { ScenarioTally, shortfalls } from '../../lib/simulator/judge.ts';
import type { SimulationResult } from '../../lib/simulator/types.ts';
import { fault } from './deployed.ts';

const scenario = (expected: Scenario['expect']): Scenario => ({
  name: 'an-outage',
  title: 'An outage',
  durationMs: 3_600_000,
  faults: [fault({})],
  expect: expected,
});
const mustMove = scenario({ verdict: 'failover', diagnosis: 'KinesisWriteImpaired', withinMs: 60_000 });
const mustHold = scenario({ verdict: 'hold' });

const moved = (seed: number, change: Partial<SimulationResult> = {}): SimulationResult => ({
  seed,
  verdict: 'failover',
  diagnosis: 'KinesisWriteImpaired',
  decideMs: 12_000 + seed,
  pagedMs: 11_000 + seed,
  flipMs: 20_000 + seed,
  rtoMs: 30_000 + seed,
  flips: 1,
  returnMs: null,
  violations: [],
  votesCast: 3,
  cells: { orders: 'standby', clicks: 'standby' },
  cellFailovers: 0,
  ...change,
});
const held = (seed: number, change: Partial<SimulationResult> = {}): SimulationResult =>
  moved(seed, {
    verdict: 'hold',
    diagnosis: 'Healthy',
    decideMs: null,
    pagedMs: null,
    flipMs: null,
    rtoMs: null,
    flips: 0,
    votesCast: 0,
    cells: { orders: 'primary', clicks: 'primary' },
    ...change,
  });
const violation = { atMs: 5, invariant: 'one-failover-per-epoch', detail: 'two in epoch 1' };

function summaryOf(of: Scenario, results: readonly SimulationResult[]) {
  const tally = new ScenarioTally(of);
  for (const result of results) tally.add(result);
  return tally.summary();
}

describe('one run', () => {
  it('that did as expected has no shortfall', () => {
    expect(shortfalls(moved(1), mustMove)).toEqual([]);
    expect(shortfalls(held(1), mustHold)).toEqual([]);
  });

  it('that ended in the primary says so, besides the moves it took', () => {
    const cells = { orders: 'primary', clicks: 'standby' } as const;
    expect(shortfalls(moved(1, { flips: 2, returnMs: 900_000, cells }), mustMove)).toEqual([
      'DNS moved 2 times instead of once',
      'orders ended in primary',
    ]);
  });

  it('is held to the cells that were to move, and to those that were to stay', () => {
    const one = scenario({ verdict: 'failover', cells: ['orders'] });
    expect(shortfalls(moved(1, { cells: { orders: 'standby', clicks: 'primary' } }), one)).toEqual([]);
    expect(shortfalls(moved(1), one)).toEqual(['clicks ended in standby']);
    expect(shortfalls(moved(1, { cells: { orders: 'primary', clicks: 'standby' } }), one)).toEqual([
      'orders ended in primary',
      'clicks ended in standby',
    ]);
  });

  it('that broke an invariant falls short, whatever it came to', () => {
    expect(shortfalls(held(1, { violations: [violation] }), mustHold)).toEqual([
      'one-failover-per-epoch at 5 ms: two in epoch 1',
    ]);
  });
});

describe('many runs', () => {
  it('are summed up in the order that was promised', () => {
    const summary = summaryOf(mustMove, [moved(1), moved(2), moved(3)]);
    expect(JSON.stringify(summary)).toMatch(
      /^\{"scenario":"an-outage","runs":3,"verdict":"failover","agreeing":3,"diagnosis":"KinesisWriteImpaired","decideMs":\{"p50":12002,"p95":12003\},"flipMs":\{"p50":20002,"p95":20003\},"flips":\{"max":1\},"violations":0,/,
    );
    expect(summary).toMatchObject({
      ok: true,
      rtoMs: { p50: 30_002, p95: 30_003 },
      returned: 0,
      failures: [],
    });
  });

  it('come to the verdict of the majority, and to the diagnosis of those that agree', () => {
    const odd = held(4, { diagnosis: 'CloudWatchBlind' });
    const summary = summaryOf(mustHold, [held(1), moved(2), held(3), odd, held(5)]);
    expect(summary).toMatchObject({ verdict: 'hold', agreeing: 4, diagnosis: 'Healthy', ok: false });
    expect(summary).toMatchObject({ failed: 1, failedSeeds: [2] });
    expect(summary.failures).toEqual(['seed 2: expected hold, saw failover']);
    expect(summary.cells).toEqual({ orders: 'primary', clicks: 'primary' });
  });

  it('take percentiles over those in which it happened, and null when it never did', () => {
    const summary = summaryOf(mustMove, [moved(1), held(2), moved(3), held(4)]);
    expect(summary.decideMs).toEqual({ p50: 12_001, p95: 12_003 });
    expect(summaryOf(mustHold, [held(1)]).decideMs).toEqual({ p50: null, p95: null });
  });

  it('are not well when one of them broke an invariant', () => {
    const summary = summaryOf(mustHold, [held(1), held(2, { violations: [violation, violation] })]);
    expect(summary).toMatchObject({ ok: false, violations: 2, agreeing: 2, failedSeeds: [2] });
  });

  it('keep the first failures and the most moves, and count the rest', () => {
    const results = Array.from({ length: 300 }, (_, seed) =>
      moved(seed, { flips: seed === 9 ? 4 : 1, returnMs: 1 }),
    );
    const summary = summaryOf(mustHold, results);
    expect(summary.failures).toHaveLength(5);
    expect(summary.failedSeeds).toHaveLength(100);
    expect(summary).toMatchObject({ failed: 300, flips: { max: 4 }, returned: 300 });
  });
});
