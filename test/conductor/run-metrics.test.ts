import { describe, expect, it } from 'vitest';
import { runMetrics } from '../../lambda/conductor/run-metrics.ts';
import { newRun } from '../../lambda/conductor/run-state.ts';
import { evacuationSteps, failbackSteps, runEnds } from '../../lambda/core/conductor.ts';
import { metricsOf } from '../../lambda/core/metrics.ts';

const who = { epoch: 3, owner: 'ana', reason: 'inc-4711' };
const evacuation = newRun({ action: 'evacuate', trigger: 'auto', ...who }, 1_000);
const failback = newRun({ action: 'failback', ...who }, 1_000);
const ended = (state: string) => runMetrics('finish', { ...evacuation, state })?.RunsNeedingAct;

describe('the end of a run', () => {
  it('asks nobody for anything after the ends that are well', () => {
    const quiet = runEnds.map(({ state }) => state).filter((state) => ended(state) === 0);
    expect(quiet).toEqual(['latched', 'no-longer-wanted', 'failed-back', 'failback-refused', 'superseded']);
  });

  it('asks for an act after a failback that was taken back, and after every step that failed', () => {
    expect(ended('failback-taken-back')).toBe(1);
    for (const { whenItFails } of [...evacuationSteps, ...failbackSteps]) {
      expect(ended(whenItFails.state), whenItFails.state).toBe(1);
      expect(runMetrics('fail', { ...evacuation, state: whenItFails.state })?.RunsNeedingAct).toBe(1);
    }
  });

  it('says how long the latch took, of an evacuation alone', () => {
    const latched = { state: 'latched', latchedAtMs: 5_500 };
    expect(runMetrics('finish', { ...evacuation, ...latched })).toEqual({
      RunsNeedingAct: 0,
      LatchTime: 4_500,
    });
    expect(runMetrics('finish', { ...failback, ...latched })?.LatchTime).toBeUndefined();
    const { RunsNeedingAct, LatchTime } = runMetrics('finish', { ...evacuation, ...latched }) ?? {};
    expect(Object.keys({ RunsNeedingAct, LatchTime }).toSorted()).toEqual(metricsOf('conductor').toSorted());
  });

  it('asks for an act of a run that a newer one has overtaken, if that leaves something of it undone', () => {
    const overtaken = (state: string) => runMetrics('superseded', { ...evacuation, state })?.RunsNeedingAct;
    expect([overtaken('superseded'), overtaken('superseded-unfinished')]).toEqual([0, 1]);
  });

  it('is no other step', () => {
    for (const step of ['lease', 'latch', 'notify', undefined]) {
      expect(runMetrics(step, evacuation)).toBeUndefined();
    }
    expect(runMetrics('finish', undefined)).toBeUndefined();
  });
});
