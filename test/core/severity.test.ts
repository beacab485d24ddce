import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import { CANARY_SHARDS, hashKeyOf, putOperations, putPlace } from '../../lambda/core/put-plan.ts';
import {
  addGain,
  addPuts,
  type GainEvidence,
  gainOf,
  type PutHistory,
  shownShare,
} from '../../lambda/core/severity.ts';
import { stream } from '../../lib/simulator/random.ts';
import { policy } from './levels.ts';

const PUTS = 10;
const ok: ProbeOutcome = { ok: true, latencyMs: 60 };
const failed: ProbeOutcome = { ok: false, latencyMs: 60, errorClass: 'server', detail: '' };
const throttled: ProbeOutcome = { ok: false, latencyMs: 60, errorClass: 'throttled', detail: '' };
const timeOf = (round: number): number => 1_800_000_000_000 + round * policy.tickMs;

/** Whether the n-th put of a round fails. */
type Fails = (round: number, n: number) => boolean;
const never: Fails = () => false;
const share =
  (fraction: number, random: () => number): Fails =>
  () =>
    random() < fraction;

interface Watched {
  readonly primary: Fails;
  readonly standby?: Fails;
  readonly rounds: number;
}

/** Gain and histories after so many rounds, and the round in which the gain was first large. */
function watch({ primary, standby = never, rounds }: Watched) {
  let gain: GainEvidence = {};
  let histories: { primary?: PutHistory; standby?: PutHistory } = {};
  let largeAt: number | undefined;
  for (let round = 0; round < rounds; round++) {
    const atMs = timeOf(round);
    const outcomes = (fails: Fails) =>
      Array.from({ length: PUTS }, (_, n): ProbeOutcome => (fails(round, n) ? failed : ok));
    const puts = outcomes(primary);
    histories = {
      primary: addPuts(histories.primary, { puts, atMs }, policy),
      standby: addPuts(histories.standby, { puts: outcomes(standby), atMs }, policy),
    };
    gain = addGain(gain, { puts, atMs, ticks: round, standby: histories.standby }, policy);
    if (gainOf(gain, { standby: histories.standby, policy, nowMs: atMs }) === 'large') largeAt ??= round;
  }
  const nowMs = timeOf(rounds - 1);
  return { gain, ...histories, largeAt, now: gainOf(gain, { standby: histories.standby, policy, nowMs }) };
}

/** Healthy at first: two minutes, in which the standby becomes known. */
const WARM = 24;
const from =
  (fails: Fails): Fails =>
  (round, n) =>
    round >= WARM && fails(round, n);

describe('the puts of a round', () => {
  it('take turns over every operation and every shard', () => {
    const places = new Set<string>();
    for (let ticks = 0; ticks < 3; ticks++)
      for (let n = 0; n < policy.putsPerRound; n++) {
        const { operation, shard } = putPlace({ ticks, n }, policy);
        places.add(`${operation} ${shard}`);
      }
    expect(places.size).toBe(putOperations.length * CANARY_SHARDS);
  });

  it('aim at the middle of each quarter of the hash range', () => {
    const quarter = 2n ** 126n;
    for (let shard = 0; shard < CANARY_SHARDS; shard++) {
      expect(BigInt(hashKeyOf(shard))).toBe(BigInt(shard) * quarter + quarter / 2n);
    }
  });
});

describe('the gain of leaving the primary', () => {
  it.each([
    ['in which all puts fail', 1, 3],
    ['in which half of the puts fail', 0.5, 8],
  ])('is large soon over a primary %s', (_, fraction, rounds) => {
    const { largeAt = Number.NaN } = watch({
      primary: from(share(fraction, stream(1))),
      rounds: WARM + 60,
    });
    expect(largeAt - WARM).toBeLessThan(rounds);
  });

  it('errs as rarely as it claims: not once in six hours, with three seeds, over a primary that fails by 12 %', () => {
    for (const seed of [1, 2, 3]) {
      const { largeAt } = watch({ primary: from(share(0.12, stream(seed))), rounds: 4_320 });
      expect(largeAt, `seed ${seed}`).toBeUndefined();
    }
  });

  it('is not large where the standby fails as much, and is where the standby fails a little', () => {
    const primary = from(() => true);
    const weak = (fraction: number, seed: number) =>
      watch({ primary, standby: share(fraction, stream(seed)), rounds: WARM + 24 }).now;
    expect(weak(0.05, 1)).toBe('large');
    expect(weak(0.3, 2)).toBe('large');
    expect(weak(1, 3)).toBe('small');
    expect(weak(0.9, 4)).toBe('small');
  });

  it('is seen where one operation fails alone', () => {
    const operation: Fails = (round, n) => putPlace({ ticks: round, n }, policy).operation === 'PutRecords';
    const { largeAt = Number.NaN } = watch({ primary: from(operation), rounds: WARM + 24 });
    expect(largeAt - WARM).toBeLessThanOrEqual(4);
    // Thirty per cent of what producers call is 15 % of all puts.
    const random = stream(5);
    const third: Fails = (round, n) => operation(round, n) && random() < 0.4;
    expect(watch({ primary: from(third), rounds: WARM + 120 }).largeAt).toBeDefined();
  });

  it.each([0, 1, 2, 3])('is the canary’s own affair while shard %i alone fails', (sick) => {
    const primary: Fails = (round, n) => putPlace({ ticks: round, n }, policy).shard === sick;
    const { largeAt, now } = watch({ primary: from(primary), rounds: WARM + 240 });
    expect(largeAt).toBeUndefined();
    expect(now).toBe('one-shard');
  });

  it('stays the canary’s own while a blip of two rounds meets a sick shard, and not for longer', () => {
    const sick: Fails = (round, n) => putPlace({ ticks: round, n }, policy).shard === 1;
    const withBlip =
      (rounds: number): Fails =>
      (round, n) =>
        sick(round, n) || (round >= WARM + 120 && round < WARM + 120 + rounds);
    const largeAt = (rounds: number) =>
      watch({ primary: from(withBlip(rounds)), rounds: WARM + 180 }).largeAt;
    expect([largeAt(1), largeAt(2)]).toEqual([undefined, undefined]);
    expect(largeAt(3)).toBe(WARM + 122);
  });

  it('is the region’s as soon as a second shard fails', () => {
    const primary: Fails = (round, n) => putPlace({ ticks: round, n }, policy).shard < 2;
    expect(watch({ primary: from(primary), rounds: WARM + 24 }).now).toBe('large');
  });

  it('is forgotten within two minutes of successes, and after a gap', () => {
    const outage: Fails = (round) => round >= WARM && round < WARM + 60;
    expect(watch({ primary: outage, rounds: WARM + 60 }).now).toBe('large');
    expect(watch({ primary: outage, rounds: WARM + 60 + 24 }).now).toBe('small');
    const { gain, standby } = watch({ primary: outage, rounds: WARM + 60 });
    const nowMs = timeOf(WARM + 60 + 5);
    expect(gainOf(gain, { standby, policy, nowMs })).toBe('small');
  });

  it('is never lowered by one more failure of the primary', () => {
    const rounds = fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: PUTS }), {
      minLength: 1,
      maxLength: 30,
    });
    const worst = { large: 2, 'one-shard': 1, small: 1 } as const;
    fc.assert(
      fc.property(rounds, fc.nat(), fc.nat(), (pattern, r, n) => {
        const round = r % pattern.length;
        const put = n % (pattern[round]?.length ?? 1);
        const fails =
          (more: boolean): Fails =>
          (at, which) =>
            pattern[at]?.[which] === true || (more && at === round && which === put);
        const scores = (more: boolean) => {
          const seen = watch({ primary: fails(more), rounds: pattern.length });
          return { rank: worst[seen.now], evidence: seen.gain.all };
        };
        const [less, more] = [scores(false), scores(true)];
        expect(more.rank).toBeGreaterThanOrEqual(less.rank);
        // An alarm counts successes from zero, so that scores compare only on the same side of it.
        if (less.evidence?.test.alarmed === false && more.evidence?.test.alarmed === false)
          expect(more.evidence.test.score).toBeGreaterThanOrEqual(less.evidence.test.score - 1e-9);
      }),
      { numRuns: 500 },
    );
  });

  it('counts no put that says nothing about the region', () => {
    const puts = Array<ProbeOutcome>(PUTS).fill(throttled);
    const history = addPuts(undefined, { puts, atMs: timeOf(0) }, policy);
    expect(shownShare(history)).toBeUndefined();
    expect(addGain({}, { puts, atMs: timeOf(0), ticks: 0, standby: history }, policy)).toEqual({});
  });
});
