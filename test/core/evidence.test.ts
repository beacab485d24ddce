import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addSample,
  evidenceModel,
  failuresToDown,
  levelOf,
  type SignalEvidence,
} from '../../lambda/core/evidence.ts';
import { type ErrorClass, errorClasses, type ProbeOutcome } from '../../lambda/core/probe.ts';
import { policy } from './levels.ts';

const model = evidenceModel(policy, policy.tickMs);
const success: ProbeOutcome = { ok: true, latencyMs: 20 };
const failure = (errorClass: ErrorClass = 'server'): ProbeOutcome => ({
  ok: false,
  latencyMs: 20,
  errorClass,
  detail: '',
});

/** Feeds one outcome per tick and returns the evidence and the time of the last sample. */
function feed(outcomes: readonly ProbeOutcome[], before?: SignalEvidence, startMs = 0) {
  let evidence = before;
  let atMs = startMs;
  for (const outcome of outcomes) {
    atMs += policy.tickMs;
    evidence = addSample(evidence, { outcome, atMs }, model);
  }
  return { evidence, atMs };
}
const levelAfter = (outcomes: readonly ProbeOutcome[], before?: SignalEvidence, startMs = 0) => {
  const { evidence, atMs } = feed(outcomes, before, startMs);
  return levelOf(evidence, model, atMs);
};
const times = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value);

describe('evidence', () => {
  it('is unknown without samples, up after successes', () => {
    expect(levelOf(undefined, model, 0)).toBe('unknown');
    expect(levelAfter(times(3, success))).toBe('up');
  });

  it('goes down after three failures in a row at the default policy, and not after two', () => {
    expect(failuresToDown(policy)).toBe(3);
    expect(levelAfter(times(2, failure()))).toBe('suspect');
    expect(levelAfter(times(3, failure()))).toBe('down');
  });

  it('needs more failures in a row when fewer false alarms are allowed', () => {
    expect(failuresToDown({ ...policy, falseAlarmsPerYear: 0.0001 })).toBeGreaterThan(3);
  });

  it('finds a region that fails every second write', () => {
    const alternating = times(12, [success, failure()]).flat();
    expect(levelAfter(alternating)).toBe('down');
  });

  it('never goes down on one failure in a hundred', () => {
    const rare = times(50, [...times(99, success), failure()]).flat();
    let evidence: SignalEvidence | undefined;
    rare.forEach((outcome, index) => {
      evidence = addSample(evidence, { outcome, atMs: index * policy.tickMs }, model);
      expect(evidence?.alarmed).toBe(false);
    });
  });

  it('comes back slowly, after a run of successes and not after a few', () => {
    const { evidence, atMs } = feed(times(200, failure()));
    expect(levelAfter(times(10, success), evidence, atMs)).toBe('down');
    expect(levelAfter(times(30, success), evidence, atMs)).toBe('up');
  });

  it('keeps an alarm across a gap in the samples', () => {
    const { evidence, atMs } = feed(times(5, failure()));
    expect(levelOf(evidence, model, atMs + 3_600_000)).toBe('unknown');
    expect(levelAfter([success], evidence, atMs + 3_600_000)).toBe('down');
  });

  it('forgets a suspicion across a gap', () => {
    const { evidence, atMs } = feed(times(2, failure()));
    expect(levelAfter([failure()], evidence, atMs + 3_600_000)).toBe('suspect');
  });

  it('ages into unknown, neither up nor down', () => {
    const { evidence, atMs } = feed(times(5, success));
    expect(levelOf(evidence, model, atMs + 10 * policy.tickMs)).toBe('unknown');
  });

  it('counts only failures that a correct caller cannot cause', () => {
    for (const [errorClass, meaning] of Object.entries(errorClasses)) {
      const level = levelAfter(times(20, failure(errorClass as ErrorClass)));
      expect([errorClass, level]).toEqual([errorClass, meaning.evidence ? 'down' : 'unknown']);
    }
  });

  it('continues a serialised state exactly', () => {
    const outcome = fc.constantFrom(success, failure(), failure('throttled'));
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 60 }), fc.nat(60), (outcomes, cut) => {
        const whole = feed(outcomes);
        const first = feed(outcomes.slice(0, cut));
        const revived = first.evidence && (JSON.parse(JSON.stringify(first.evidence)) as SignalEvidence);
        const second = feed(outcomes.slice(cut), revived, first.atMs);
        expect(second.evidence).toEqual(whole.evidence);
      }),
    );
  });

  it('stays within its bounds whatever comes', () => {
    const outcome = fc.constantFrom(success, failure(), failure('access'));
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 100 }), (outcomes) => {
        const { evidence } = feed(outcomes);
        if (evidence === undefined) return;
        expect(evidence.score).toBeGreaterThanOrEqual(0);
        expect(evidence.score).toBeLessThanOrEqual(model.downScore);
      }),
    );
  });
});
