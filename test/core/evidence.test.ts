import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addSamples,
  evidenceModel,
  levelOf,
  roundsToClear,
  roundsToDown,
  type SignalEvidence,
} from '../../lambda/core/evidence.ts';
import { evidenceModels, modelSettings } from '../../lambda/core/observation.ts';
import { type ErrorClass, errorClasses, type ProbeOutcome } from '../../lambda/core/probe.ts';
import { policy } from './levels.ts';

const settings = modelSettings('kinesisWrite', policy);
const model = evidenceModels(policy).kinesisWrite;
const success: ProbeOutcome = { ok: true, latencyMs: 20 };
const failure = (errorClass: ErrorClass = 'server'): ProbeOutcome => ({
  ok: false,
  latencyMs: 20,
  errorClass,
  detail: '',
});
const times = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value);
type Round = readonly ProbeOutcome[];
const good: Round = times(policy.putsPerRound, success);
const bad: Round = times(policy.putsPerRound, failure());

/** Feeds one round per tick and returns the evidence and the time of the last one. */
function feed(rounds: readonly Round[], before?: SignalEvidence, startMs = 0) {
  let evidence = before;
  let atMs = startMs;
  for (const outcomes of rounds) {
    atMs += policy.tickMs;
    evidence = addSamples(evidence, { outcomes, atMs }, model);
  }
  return { evidence, atMs };
}
const levelAfter = (rounds: readonly Round[], before?: SignalEvidence, startMs = 0) => {
  const { evidence, atMs } = feed(rounds, before, startMs);
  return levelOf(evidence, model, atMs);
};

describe('the threshold', () => {
  it('is Lorden’s bound: e^h samples between two false alarms are the budget', () => {
    const samplesAYear = ((365.25 * 86_400_000) / policy.tickMs) * policy.putsPerRound;
    expect(Math.exp(model.threshold) / samplesAYear).toBeCloseTo(1 / policy.falseAlarmsPerYear, 6);
  });

  it('is kept by a healthy region: simulated at the baseline rate, it stays within the budget', () => {
    // A budget of 2,000 a year makes the count measurable; the bound is one-sided, so fewer are right and more are not.
    const loose = evidenceModel({ ...settings, falseAlarmsPerYear: 2_000, sustainMs: 0 });
    let state = 12_345;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    let evidence: SignalEvidence | undefined;
    let alarms = 0;
    const rounds = 600_000;
    for (let n = 0; n < rounds; n++) {
      const outcomes = times(settings.samplesPerRound, 0).map(() =>
        random() < settings.baselineRate ? failure() : success,
      );
      evidence = addSamples(evidence, { outcomes, atMs: n * policy.tickMs }, loose);
      if (evidence?.alarmed) {
        alarms++;
        evidence = undefined;
      }
    }
    const years = (rounds * policy.tickMs) / (365.25 * 86_400_000);
    expect(alarms).toBeGreaterThan(0);
    expect(alarms / years).toBeLessThan(2_000);
  });

  it('follows the cadence, the samples and the budget', () => {
    const h = (change: Partial<typeof settings>) => evidenceModel({ ...settings, ...change }).threshold;
    expect(h({ periodMs: settings.periodMs / 2 })).toBeCloseTo(model.threshold + Math.log(2), 9);
    expect(h({ samplesPerRound: 2 * settings.samplesPerRound })).toBeCloseTo(
      model.threshold + Math.log(2),
      9,
    );
    expect(h({ falseAlarmsPerYear: settings.falseAlarmsPerYear * 10 })).toBeCloseTo(
      model.threshold - Math.log(10),
      9,
    );
  });
});

describe('evidence', () => {
  it('is unknown without samples, up after successes', () => {
    expect(levelOf(undefined, model, 0)).toBe('unknown');
    expect(levelAfter(times(3, good))).toBe('up');
  });

  it('goes down in the third failing round at the default policy, and not in the second', () => {
    expect(roundsToDown(settings)).toBe(3);
    expect(levelAfter(times(2, bad))).toBe('suspect');
    expect(levelAfter(times(3, bad))).toBe('down');
  });

  it('rides out any failure that is over before the policy’s blip is', () => {
    // Rounds are a tick apart, so two at most fit in 10 s; whatever they bring, they raise no alarm.
    expect(policy.blipMs).toBe(2 * policy.tickMs);
    const { evidence } = feed([good, times(30, failure()), times(30, failure()), good]);
    expect(evidence?.alarmed).toBe(false);
  });

  it('does not take a second blip, or a stray failure, for the first one going on', () => {
    const blip = [bad, bad];
    for (const [calmRounds, next] of [
      [5, blip],
      [4, [[failure(), success, success]]],
      [8, blip],
    ] as const) {
      const { evidence } = feed([good, ...blip, ...times(calmRounds, good), ...next]);
      expect([calmRounds, evidence?.alarmed]).toEqual([calmRounds, false]);
    }
  });

  it('alarms for a signal that is sampled every two minutes as well, in three rounds', () => {
    const slow = modelSettings('cloudWatch', policy);
    const slowModel = evidenceModels(policy).cloudWatch;
    let evidence: SignalEvidence | undefined;
    const alarms = [1, 2, 3, 4].map((n) => {
      evidence = addSamples(evidence, { outcomes: [failure()], atMs: n * slow.periodMs }, slowModel);
      return evidence?.alarmed;
    });
    expect(alarms).toEqual([false, false, true, true]);
    expect(roundsToDown(slow)).toBe(3);
  });

  it('is not up before anything has worked, nor when nothing has for long', () => {
    expect(levelAfter([[failure()]])).toBe('unknown');
    const { evidence, atMs } = feed([good, ...times(5, [failure('throttled')]), [failure()]]);
    expect(levelOf(evidence, model, atMs)).toBe('unknown');
  });

  it('does not suspect a region for one failed probe', () => {
    expect(levelAfter([good, [failure(), success, success]])).toBe('up');
  });

  it('finds a region that fails one write in five, in a minute or two', () => {
    const round = [failure(), ...times(4, success)];
    const stream = times(15, round).flat();
    const rounds = times(24, 0).map((_, n) => stream.slice(3 * n, 3 * n + 3));
    expect(levelAfter(rounds)).toBe('down');
  });

  it('never goes down on one failure in a hundred', () => {
    let evidence: SignalEvidence | undefined;
    for (let n = 0; n < 3_000; n++) {
      const outcomes = n % 33 === 0 ? [failure(), success, success] : good;
      evidence = addSamples(evidence, { outcomes, atMs: n * policy.tickMs }, model);
      expect(evidence?.alarmed).toBe(false);
    }
  });

  it('clears more slowly than it alarms, by the same budget, and never on a few successes', () => {
    expect(roundsToClear(settings)).toBeGreaterThan(4 * roundsToDown(settings));
    const { evidence, atMs } = feed(times(200, bad));
    expect(levelAfter(times(roundsToClear(settings) - 1, good), evidence, atMs)).toBe('down');
    expect(levelAfter(times(roundsToClear(settings), good), evidence, atMs)).toBe('up');
  });

  it('does not clear while one write in five still fails', () => {
    const { evidence, atMs } = feed(times(5, bad));
    const round = [failure(), ...times(4, success)];
    expect(levelAfter(times(500, round), evidence, atMs)).toBe('down');
  });

  it('keeps an alarm across a gap in the samples, and starts its recovery anew', () => {
    const { evidence, atMs } = feed([...times(5, bad), ...times(roundsToClear(settings) - 1, good)]);
    const later = atMs + 3_600_000;
    expect(levelOf(evidence, model, later)).toBe('unknown');
    expect(levelAfter([good], evidence, later)).toBe('down');
  });

  it('forgets a suspicion across a gap', () => {
    const { evidence, atMs } = feed(times(2, bad));
    expect(levelAfter([bad], evidence, atMs + 3_600_000)).toBe('suspect');
  });

  it('ages into unknown, neither up nor down', () => {
    const { evidence, atMs } = feed(times(5, good));
    expect(levelOf(evidence, model, atMs + 10 * policy.tickMs)).toBe('unknown');
  });

  it('is still found after the clock was set back by an hour in the middle of an outage', () => {
    const { evidence, atMs } = feed(times(2, bad));
    expect(levelAfter(times(4, bad), evidence, atMs - 3_600_000)).toBe('down');
  });

  it('counts only failures that a correct caller cannot cause', () => {
    for (const [errorClass, meaning] of Object.entries(errorClasses)) {
      const level = levelAfter(times(20, times(3, failure(errorClass as ErrorClass))));
      expect([errorClass, level]).toEqual([errorClass, meaning.evidence ? 'down' : 'unknown']);
    }
  });

  const round = fc.array(fc.constantFrom(success, failure(), failure('throttled')), { maxLength: 4 });

  it('continues a serialised state exactly', () => {
    fc.assert(
      fc.property(fc.array(round, { maxLength: 60 }), fc.nat(60), (rounds, cut) => {
        const whole = feed(rounds);
        const first = feed(rounds.slice(0, cut));
        const revived = first.evidence && (JSON.parse(JSON.stringify(first.evidence)) as SignalEvidence);
        const second = feed(rounds.slice(cut), revived, first.atMs);
        expect(second.evidence).toEqual(whole.evidence);
      }),
    );
  });

  it('stays within its bounds, and alarms only on a failure that was sustained', () => {
    fc.assert(
      fc.property(fc.array(round, { maxLength: 100 }), (rounds) => {
        let evidence: SignalEvidence | undefined;
        rounds.forEach((outcomes, n) => {
          const before = evidence;
          const atMs = n * policy.tickMs;
          evidence = addSamples(evidence, { outcomes, atMs }, model);
          if (evidence === undefined) return;
          expect(evidence.score).toBeGreaterThanOrEqual(0);
          expect(evidence.score).toBeLessThanOrEqual(model.threshold);
          if (!evidence.alarmed || before?.alarmed) return;
          expect(outcomes.some((outcome) => !outcome.ok)).toBe(true);
          expect(atMs - evidence.sinceMs).toBeGreaterThanOrEqual(model.sustainMs);
        });
      }),
    );
  });
});
