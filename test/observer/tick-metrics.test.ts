import { expect, it } from 'vitest';
import { emptyMemory } from '../../lambda/core/memory.ts';
import { metricsOf } from '../../lambda/core/metrics.ts';
import { addTick, noEvidence } from '../../lambda/core/observation.ts';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import { tickMetrics } from '../../lambda/observer/tick-metrics.ts';
import { policy } from '../core/levels.ts';

const NOW_MS = 1_800_000_000_000;
const ok: ProbeOutcome = { ok: true, latencyMs: 10 };
const refused: ProbeOutcome = { ok: false, latencyMs: 10, errorClass: 'server', detail: '' };

/** After so many rounds in which the standby answered like this. */
function after(outcome: ProbeOutcome, rounds = 20) {
  const region = { kinesisWrite: [outcome, outcome, outcome], kinesisRead: [outcome] };
  let evidence = noEvidence;
  for (let n = rounds - 1; n >= 0; n--) {
    const atMs = NOW_MS - n * policy.tickMs;
    evidence = addTick(evidence, { atMs, ticks: 0, primary: {}, standby: region, clockStepMs: 0 }, policy);
  }
  return tickMetrics({ memory: { ...emptyMemory, evidence }, decidedAtMs: NOW_MS }, policy);
}

it('a round says, with every metric of the observer, whether the standby works', () => {
  expect(after(ok)).toEqual({ StandbyDown: 0 });
  expect(after(refused)).toEqual({ StandbyDown: 1 });
  expect(after(ok, 0)).toEqual({ StandbyDown: 1 });
  expect(Object.keys(after(ok))).toEqual(metricsOf('observer'));
});
