import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose, diagnoses, diagnosisCodes, type Sight } from '../../lambda/core/diagnosis.ts';
import {
  addTick,
  levelsOf,
  noEvidence,
  observerCondition,
  type RegionOutcomes,
} from '../../lambda/core/observation.ts';
import type { ErrorClass, ProbeOutcome } from '../../lambda/core/probe.ts';
import { allUp, conditions, levels, policy, regionLevels } from './levels.ts';

const healthy = { primary: allUp, standby: allUp, observer: 'sound', recovering: false } as const;

const standbyLevels = ['up', 'down', 'unknown'] as const;

function* everySight(): Generator<Sight> {
  for (const observer of conditions)
    for (const recovering of [false, true])
      for (const kinesisWrite of levels)
        for (const kinesisRead of levels)
          for (const kinesisLatency of levels)
            for (const reachability of levels)
              for (const cloudWatch of levels)
                for (const controlPlane of levels)
                  for (const sqs of levels) {
                    const primary = {
                      ...{
                        kinesisWrite,
                        kinesisRead,
                        kinesisLatency,
                        reachability,
                        cloudWatch,
                        controlPlane,
                        sqs,
                      },
                      ...{ cognito: 'unknown' as const, lambda: 'unknown' as const },
                    };
                    for (const write of standbyLevels)
                      for (const read of standbyLevels)
                        for (const reach of ['up', 'down'] as const) {
                          const standby = {
                            ...allUp,
                            kinesisWrite: write,
                            kinesisRead: read,
                            reachability: reach,
                          };
                          yield { primary, standby, observer, recovering };
                        }
                  }
}

describe('diagnosis', () => {
  const expected = [
    ['Healthy', {}],
    ['Healthy', { primary: { ...allUp, kinesisWrite: 'suspect' } }],
    ['KinesisWriteImpaired', { primary: { ...allUp, kinesisWrite: 'down', kinesisRead: 'down' } }],
    ['KinesisReadImpaired', { primary: { ...allUp, kinesisRead: 'down' } }],
    ['CloudWatchBlind', { primary: { ...allUp, cloudWatch: 'down', controlPlane: 'down' } }],
    ['LatencyDegraded', { primary: { ...allUp, kinesisLatency: 'down', cloudWatch: 'down' } }],
    ['SiblingServicesOnly', { primary: { ...allUp, sqs: 'down' } }],
    ['Recovering', { recovering: true }],
    ['CloudWatchBlind', { recovering: true, primary: { ...allUp, cloudWatch: 'down' } }],
    [
      'BothImpaired',
      { primary: { ...allUp, kinesisWrite: 'down' }, standby: { ...allUp, kinesisRead: 'down' } },
    ],
    ['ControlPlaneOnly', { primary: { ...allUp, controlPlane: 'down' } }],
    ['RegionUnreachable', { primary: { ...allUp, kinesisWrite: 'down', reachability: 'down' } }],
    ['StandbyUnfit', { standby: { ...allUp, kinesisWrite: 'down' } }],
    [
      'StandbyUnfit',
      { primary: { ...allUp, kinesisWrite: 'down' }, standby: { ...allUp, kinesisRead: 'unknown' } },
    ],
    ['ClockSuspect', { observer: 'clock-suspect', primary: { ...allUp, kinesisWrite: 'down' } }],
    ['ObserverSick', { observer: 'self-inflicted-errors', primary: { ...allUp, kinesisWrite: 'down' } }],
    [
      'ObserverSick',
      { primary: { ...allUp, reachability: 'down' }, standby: { ...allUp, reachability: 'down' } },
    ],
    ['Undetermined', { primary: { ...allUp, kinesisWrite: 'unknown' } }],
  ] as const;
  for (const [code, change] of expected) {
    it(`says ${code} for ${JSON.stringify(change)}`, () => {
      expect(diagnose({ ...healthy, ...change }).code).toBe(code);
    });
  }

  it('gives every combination of signals exactly one row, and reaches every row', () => {
    // Sibling services enter one row as "any of them", so one stands for all; the standby's other signals enter none.
    const reached = new Map<string, number>();
    let combinations = 0;
    for (const sight of everySight()) {
      combinations++;
      const { code } = diagnose(sight);
      const first = diagnoses.filter((row) => row.matches(sight))[0];
      if (first?.code !== code) throw new Error(`${code} is not the first row that matches`);
      reached.set(code, (reached.get(code) ?? 0) + 1);
    }
    expect([...reached.keys()].sort()).toEqual([...diagnosisCodes].sort());
    expect([...reached.values()].reduce((sum, n) => sum + n, 0)).toBe(combinations);
    expect(combinations).toBe(4 ** 7 * 3 ** 2 * 3 * 2 * 2);
  });

  it('is never actionable unless the primary refuses writes and the standby takes and returns records', () => {
    fc.assert(
      fc.property(
        regionLevels,
        regionLevels,
        fc.constantFrom(...conditions),
        fc.boolean(),
        (primary, standby, observer, recovering) => {
          if (!diagnose({ primary, standby, observer, recovering }).actionable) return;
          expect(primary.kinesisWrite).toBe('down');
          expect([standby.kinesisWrite, standby.kinesisRead]).toEqual(['up', 'up']);
          expect(observer).toBe('sound');
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('what an observer makes of its probes', () => {
  const ok: readonly ProbeOutcome[] = [{ ok: true, latencyMs: 10 }];
  const failed = (errorClass: ErrorClass): readonly ProbeOutcome[] =>
    Array.from({ length: policy.putsPerRound }, () => ({ ok: false, latencyMs: 10, errorClass, detail: '' }));
  const fine: RegionOutcomes = {
    kinesisWrite: ok,
    kinesisRead: ok,
    reachability: ok,
    cloudWatch: ok,
    controlPlane: ok,
  };

  function diagnosisAfter(ticks: number, primary: RegionOutcomes, clockStepMs = 0) {
    let evidence = noEvidence;
    for (let n = 1; n <= ticks; n++) {
      const warm = n <= 3 ? fine : primary;
      evidence = addTick(
        evidence,
        { atMs: n * policy.tickMs, primary: warm, standby: fine, clockStepMs },
        policy,
      );
    }
    const nowMs = ticks * policy.tickMs;
    return diagnose({
      primary: levelsOf(evidence.primary, policy, nowMs),
      standby: levelsOf(evidence.standby, policy, nowMs),
      observer: observerCondition(evidence.observer, nowMs),
      recovering: false,
    }).code;
  }

  it('blames Kinesis when Kinesis errs and the rest answers', () => {
    const primary = { ...fine, kinesisWrite: failed('server'), kinesisRead: failed('server') };
    expect(diagnosisAfter(6, primary)).toBe('KinesisWriteImpaired');
  });

  it('calls the region unreachable only when nothing in it answers', () => {
    const silent = {
      kinesisWrite: failed('timeout'),
      kinesisRead: failed('timeout'),
      reachability: failed('timeout'),
    };
    expect(diagnosisAfter(6, silent)).toBe('RegionUnreachable');
    expect(diagnosisAfter(6, { ...silent, kinesisWrite: failed('server') })).toBe('KinesisWriteImpaired');
  });

  it('blames nobody for throttling', () => {
    expect(diagnosisAfter(40, { ...fine, kinesisWrite: failed('throttled') })).toBe('Undetermined');
  });

  it('blames itself for refused credentials and for a clock that steps', () => {
    expect(diagnosisAfter(6, { ...fine, kinesisWrite: failed('access') })).toBe('ObserverSick');
    expect(diagnosisAfter(6, fine, 5_000)).toBe('ClockSuspect');
    expect(diagnosisAfter(6, fine, -5_000)).toBe('ClockSuspect');
    expect(diagnosisAfter(6, fine, 200)).toBe('Healthy');
  });
});
