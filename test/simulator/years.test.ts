import { describe, expect, test, vi } from 'vitest';
import type { Memory } from '../../lambda/core/memory.ts';
import { emptyMemory } from '../../lambda/core/memory.ts';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import type { Role } from '../../lambda/core/role.ts';
import { observeRound, putsOfRound, type RoundReadings } from '../../lambda/core/round.ts';
import { isIdle, lastSlowRound, roundsToForget, skipped } from '../../lib/simulator/idle.ts';
import { realCore } from '../../lib/simulator/run.ts';
import type { SimulatedCore, TraceEvent } from '../../lib/simulator/types.ts';
import { runYears } from '../../lib/simulator/years.ts';
import { deployed } from './deployed.ts';

const DAY = 1 / 365.25;
const observers = 3;
/** A walk computes each of 200,000 rounds. */
vi.setConfig({ testTimeout: 60_000 });
const { policy } = deployed;
const ok: ProbeOutcome = { ok: true, latencyMs: 60 };
const failed: ProbeOutcome = { ok: false, latencyMs: 60, errorClass: 'server', detail: 'InternalFailure' };

function traced(options: { readonly years: number; readonly seed: number; readonly walk: boolean }) {
  const lines: TraceEvent[] = [];
  const { rounds, ...result } = runYears({ system: deployed, ...options, trace: (line) => lines.push(line) });
  return { lines, result, rounds };
}

/** One round of the real core, in which everything works but what is given. */
function round(memory: Memory, startedAtMs: number, changes: Partial<RoundReadings['primary']> = {}): Memory {
  const slow =
    memory.ticks % policy.slowProbeEveryTicks === 0 ? { cloudWatch: [ok], controlPlane: [ok] } : {};
  const puts = (role: Role): ProbeOutcome[] =>
    Array(putsOfRound(memory, { role, policy, nowMs: startedAtMs }).firstPuts).fill(ok);
  const outcomes = { kinesisRead: [ok], reachability: [ok], ...slow };
  const readings: RoundReadings = {
    startedAtMs,
    nowMs: startedAtMs + 180,
    clockStepMs: 0,
    primary: { ...outcomes, kinesisWrite: puts('primary'), ...changes },
    standby: { ...outcomes, kinesisWrite: puts('standby') },
    control: {},
    latch: 'open',
    quorum: 'primary',
  };
  return observeRound(memory, readings, policy).memory;
}

const START_MS = 1_800_000_000_000;
const timeOf = (n: number): number => START_MS + n * policy.tickMs;

function learnt(rounds: number): Memory {
  let memory = emptyMemory;
  for (let n = 0; n < rounds; n++) memory = round(memory, timeOf(n));
  return memory;
}

/** The learnt latency moves within a tenth, and decides nothing: see idle.ts. */
function withoutQuantile(memory: Memory): unknown {
  return JSON.parse(JSON.stringify(memory, (key, value) => (key === 'quantileMs' ? undefined : value)));
}

describe('quiet stretches', () => {
  test('walked or skipped, days are the same where streams are probed in every round', () => {
    const cells = deployed.cells.map((cell) => ({ ...cell, probe: 'always' as const }));
    const play = (walk: boolean) => {
      const lines: TraceEvent[] = [];
      const system = { ...deployed, cells };
      const trace = (line: TraceEvent) => void lines.push(line);
      const { rounds, ...result } = runYears({ system, years: 2 * DAY, seed: 2, walk, trace });
      return { lines, result, rounds };
    };
    const skipping = play(false);
    const walking = play(true);

    expect(skipping.lines).toEqual(walking.lines);
    expect(skipping.result).toEqual(walking.result);
    expect(skipping.rounds.skipped).toBeGreaterThan(20 * skipping.rounds.computed);
  });

  // Two days with lone failures of the streams, a suspicion, and an absence of one observer.
  test('what is known of the streams before a round that is computed is what a walk knows', () => {
    const cells = deployed.cells.map((cell) => ({ ...cell, probe: 'always' as const }));
    const knownAt = (walk: boolean): ReadonlyMap<number, Memory> => {
      const known = new Map<number, Memory>();
      const core: SimulatedCore = {
        ...realCore,
        observeRound: (memory, readings, ...rest) => {
          known.set(readings.startedAtMs, memory);
          return realCore.observeRound(memory, readings, ...rest);
        },
      };
      runYears({ system: { ...deployed, cells }, years: 2.2 * DAY, seed: 23, walk, core });
      return known;
    };
    const computed = knownAt(false);
    const walked = knownAt(true);

    expect(computed.size).toBeGreaterThan(100);
    for (const [startedAtMs, { evidence, lastRoundAtMs, ticks }] of computed) {
      const walk = walked.get(startedAtMs);
      expect({ streams: evidence.streams, lastRoundAtMs, ticks }).toEqual({
        streams: walk?.evidence.streams,
        lastRoundAtMs: walk?.lastRoundAtMs,
        ticks: walk?.ticks,
      });
    }
  });

  test.each([1])('walked or skipped, four days of noise are the same, step by step (seed %i)', (seed) => {
    const skipping = traced({ years: 4 * DAY, seed, walk: false });
    const walking = traced({ years: 4 * DAY, seed, walk: true });

    expect(skipping.lines).toEqual(walking.lines);
    expect(skipping.result).toEqual(walking.result);
    expect(skipping.lines.length).toBeGreaterThan(1);
    // Every round is accounted for: computed, or proven idle. Those under way at the end are counted by one of the two.
    const counted = skipping.rounds.computed + skipping.rounds.skipped;
    expect(Math.abs(counted - walking.rounds.computed)).toBeLessThanOrEqual(observers);
    expect(skipping.rounds.skipped).toBeGreaterThan(100 * skipping.rounds.computed);
  });

  test.each([
    { before: 30, rounds: 1 },
    { before: 30, rounds: 7 },
    { before: 25, rounds: 500 },
    { before: 48, rounds: 24 },
  ])('$rounds skipped rounds leave the memory that $rounds computed ones leave', ({ before, rounds }) => {
    const memory = learnt(before);
    let walked = memory;
    for (let n = 0; n < rounds; n++) walked = round(walked, timeOf(before + n));

    const skip = { rounds, lastRoundAtMs: timeOf(before + rounds - 1), quietMs: 180, cells: [] };

    expect(isIdle(memory, policy, timeOf(before))).toBe(true);
    expect(withoutQuantile(skipped(memory, skip, policy))).toEqual(withoutQuantile(walked));
  });

  test('scores on their way to zero are where rounds of success would have left them', () => {
    for (const rounds of [1, 2, 5, 6, 7, 16, 17, 40]) {
      const memory = round(learnt(30), timeOf(30), { kinesisWrite: [failed, ok, ok], kinesisRead: [failed] });
      let walked = memory;
      for (let n = 0; n < rounds; n++) walked = round(walked, timeOf(31 + n));

      const skip = { rounds, lastRoundAtMs: timeOf(30 + rounds), quietMs: 180, cells: [] };

      expect(isIdle(memory, policy, timeOf(30))).toBe(true);
      expect(withoutQuantile(skipped(memory, skip, policy))).toEqual(withoutQuantile(walked));
    }
  });

  test('slow rounds among those skipped are found, and none where there is none', () => {
    const skip = { rounds: 5, lastRoundAtMs: timeOf(4), quietMs: 0, cells: [] };
    const due = 3 * policy.slowProbeEveryTicks;

    expect(lastSlowRound(due - 2, skip, policy)).toBe(timeOf(2));
    expect(lastSlowRound(due + 1, skip, policy)).toBeUndefined();
  });

  test.each([
    ['an alarm', (memory: Memory) => ({ ...memory, evidence: alarmed(memory) })],
    [
      'a vote',
      (memory: Memory) => ({ ...memory, decision: { ...memory.decision, phase: 'evacuating' as const } }),
    ],
    [
      'a clock that is not trusted',
      (memory: Memory) => ({
        ...memory,
        evidence: {
          ...memory.evidence,
          observer: { ...memory.evidence.observer, clockSuspectUntilMs: timeOf(99) },
        },
      }),
    ],
    ['a cold start', () => learnt(2)],
  ])('%s is not idle', (_, change) => {
    expect(isIdle(change(learnt(30)), policy, timeOf(30))).toBe(false);
  });
});

function alarmed({ evidence }: Memory): Memory['evidence'] {
  const { kinesisWrite } = evidence.primary;
  if (kinesisWrite === undefined) throw new Error('There is no evidence yet.');
  return { ...evidence, primary: { ...evidence.primary, kinesisWrite: { ...kinesisWrite, alarmed: true } } };
}

describe('lone failures', () => {
  test.each(['kinesisWrite', 'kinesisErrors', 'kinesisRead'] as const)(
    'of %s change no level and no vote, and are forgotten in the rounds that are given',
    (signal) => {
      const probed = signal === 'kinesisErrors' ? 'kinesisWrite' : signal;
      const rounds = roundsToForget(probed, policy);
      if (rounds === undefined) throw new Error('One failure may matter under this policy.');
      const outcomes = probed === 'kinesisWrite' ? [ok, failed, ok] : [failed];
      let memory = round(learnt(30), timeOf(30), { [probed]: outcomes });
      for (let n = 1; n <= rounds; n++) {
        expect(memory.decision.phase).toBe('steady');
        expect(memory.evidence.primary[signal]?.alarmed).toBe(false);
        memory = round(memory, timeOf(30 + n));
      }
      expect(Object.values(memory.evidence.gain).map(({ test }) => test.score)).toEqual([0, 0, 0]);

      expect(memory.evidence.primary[signal]?.score).toBe(0);
    },
  );

  test('are not skipped where one failure may raise an alarm', () => {
    const rash = { ...policy, blipMs: 0, falseAlarmsPerYear: 1e9 };

    expect(roundsToForget('kinesisWrite', rash)).toBeUndefined();
  });
});
