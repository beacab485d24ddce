import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose, diagnoses } from '../../lambda/core/diagnosis.ts';
import {
  addTick,
  levelsOf,
  noEvidence,
  observerCondition,
  type RegionOutcomes,
} from '../../lambda/core/observation.ts';
import type { ErrorClass } from '../../lambda/core/probe.ts';
import { allUp, conditions, levels, policy, regionLevels } from './levels.ts';

const healthy = { primary: allUp, standby: allUp, observer: 'sound' } as const;

describe('diagnosis', () => {
  const expected = [
    ['Healthy', {}],
    ['Healthy', { primary: { ...allUp, kinesisWrite: 'suspect' } }],
    ['KinesisWriteImpaired', { primary: { ...allUp, kinesisWrite: 'down', kinesisRead: 'down' } }],
    ['KinesisReadImpaired', { primary: { ...allUp, kinesisRead: 'down' } }],
    ['CloudWatchBlind', { primary: { ...allUp, cloudWatch: 'down', controlPlane: 'down' } }],
    ['ControlPlaneOnly', { primary: { ...allUp, controlPlane: 'down' } }],
    ['RegionUnreachable', { primary: { ...allUp, kinesisWrite: 'down', reachability: 'down' } }],
    ['StandbyUnfit', { standby: { ...allUp, kinesisWrite: 'down' } }],
    [
      'StandbyUnfit',
      { primary: { ...allUp, kinesisWrite: 'down' }, standby: { ...allUp, kinesisRead: 'unknown' } },
    ],
    ['ObserverSick', { observer: 'clock-suspect', primary: { ...allUp, kinesisWrite: 'down' } }],
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

  it('has an answer for every combination of the signals that matter, and reaches every row', () => {
    const reached = new Set<string>();
    for (const observer of conditions)
      for (const kinesisWrite of levels)
        for (const kinesisRead of levels)
          for (const reachability of levels)
            for (const cloudWatch of levels)
              for (const controlPlane of levels)
                for (const standbyWrite of levels)
                  for (const standbyReach of levels) {
                    const primary = { kinesisWrite, kinesisRead, reachability, cloudWatch, controlPlane };
                    const standby = { ...allUp, kinesisWrite: standbyWrite, reachability: standbyReach };
                    reached.add(diagnose({ primary, standby, observer }).code);
                  }
    expect([...reached].sort()).toEqual(diagnoses.map((row) => row.code).sort());
  });

  it('is never actionable unless the primary refuses writes and the standby takes and returns records', () => {
    fc.assert(
      fc.property(
        regionLevels,
        regionLevels,
        fc.constantFrom(...conditions),
        (primary, standby, observer) => {
          if (!diagnose({ primary, standby, observer }).actionable) return;
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
  const ok = { ok: true, latencyMs: 10 } as const;
  const failed = (errorClass: ErrorClass) => ({ ok: false, latencyMs: 10, errorClass, detail: '' }) as const;
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
    expect(diagnosisAfter(6, fine, 5_000)).toBe('ObserverSick');
    expect(diagnosisAfter(6, fine, -5_000)).toBe('ObserverSick');
    expect(diagnosisAfter(6, fine, 200)).toBe('Healthy');
  });
});
