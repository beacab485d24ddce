import { describe, expect, it } from 'vitest';
import { initialDecisionState } from '../../lambda/core/decide.ts';
import { emptyMemory, type Memory, parseMemory, serializeMemory } from '../../lambda/core/memory.ts';
import { countedSignals } from '../../lambda/core/observation.ts';
import { putViews } from '../../lambda/core/severity.ts';

const NOW = 1_800_000_000_000;
const evidence = { score: 1, alarmed: true, sinceMs: NOW, failedAtMs: NOW, okAtMs: null, sampledAtMs: NOW };
const evacuated: Memory = {
  ...emptyMemory,
  evidence: { ...emptyMemory.evidence, primary: { kinesisWrite: evidence, kinesisRead: evidence } },
  decision: { ...initialDecisionState, phase: 'evacuated', epoch: 4, voteSinceMs: NOW, sawMove: true },
};
const stored = (): Record<string, Record<string, unknown>> => JSON.parse(serializeMemory(evacuated));

describe('an observer that is upgraded while evacuated', () => {
  it('keeps its vote when the older version did not store a field', () => {
    const old = stored();
    delete old.decision?.sawMove;
    delete old.decision?.impairedAtMs;
    delete old.firstMetricAtMs;
    expect(parseMemory(JSON.stringify(old)).decision).toEqual({ ...evacuated.decision, sawMove: false });
  });

  it('reads the evidence of a version that stored it in full', () => {
    const full = JSON.stringify({ ...evacuated, vote: 'EVACUATE' });
    expect(full).toContain('"alarmed":true');
    expect(parseMemory(full)).toEqual(evacuated);
  });

  it('stores what it needs in less than three kilobytes, and reads the same again', () => {
    const region = Object.fromEntries(countedSignals.map((name) => [name, evidence]));
    const puts = { window: '05'.repeat(24), atMs: NOW };
    const view = {
      test: { ...evidence, score: 11.125 },
      without: [1.5, 2.25, 0, 12.20607264553],
    };
    const memory: Memory = {
      ...evacuated,
      lastRoundAtMs: NOW,
      evidence: {
        ...emptyMemory.evidence,
        primary: { ...region, puts },
        standby: { ...region, puts },
        gain: Object.fromEntries(putViews.map((name) => [name, view])),
      },
    };
    const text = serializeMemory(memory);
    expect(text.length).toBeLessThan(2_500);
    expect(parseMemory(text)).toEqual(memory);
  });

  it('keeps its vote, and the other signals, when the evidence of one signal has another form', () => {
    const old = stored();
    Object.assign(old.evidence?.primary as object, { kinesisWrite: { level: 'down' } });
    const { decision, evidence: kept } = parseMemory(JSON.stringify(old));
    expect(decision).toEqual(evacuated.decision);
    expect(kept.primary).toEqual({ kinesisRead: evidence });
  });

  it('keeps its vote when all of the evidence has another form', () => {
    expect(parseMemory(JSON.stringify({ ...stored(), evidence: [] })).decision).toEqual(evacuated.decision);
  });

  it('keeps its vote when it is rolled back to a version that does not know the phase', () => {
    const newer = stored();
    Object.assign(newer.decision ?? {}, { phase: 'draining' });
    expect(parseMemory(JSON.stringify(newer)).decision).toMatchObject({
      phase: 'evacuating',
      epoch: 4,
      voteSinceMs: NOW,
    });
  });

  it('does not vote when such a phase held', () => {
    const newer: ReturnType<typeof stored> = { ...stored(), vote: 'HOLD' as never };
    Object.assign(newer.decision ?? {}, { phase: 'dreaming' });
    expect(parseMemory(JSON.stringify(newer)).decision.phase).toBe('steady');
  });

  it('starts from nothing when it can read nothing', () => {
    for (const text of [undefined, 7, '', '{', '{}', '[]', '{"vote":"EVACUATE"}']) {
      expect(parseMemory(text)).toEqual(emptyMemory);
    }
  });
});
