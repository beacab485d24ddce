import { expect, it } from 'vitest';
import { tune } from '../../lib/simulator/tune.ts';
import { systemWith } from '../simulator/systems.ts';

const system = systemWith();

it('measuring finds a policy with a longer blip slower at a total failure', {
  timeout: 120_000,
}, async () => {
  const points = [5_000, 15_000].map((blipMs) => ({
    system: { ...system, policy: { ...system.policy, blipMs } },
    own: false,
  }));
  let runs = 0;
  let years = 0;
  const rows = await tune({
    points,
    runs: 3,
    years: 1,
    workers: 2,
    onRun: () => runs++,
    onYears: (count) => {
      years += count;
    },
  });
  expect([runs, years]).toEqual([12, 2]);
  const [quick, slow] = rows;
  expect(slow?.total.p95).toBeGreaterThan((quick?.total.p95 ?? Number.POSITIVE_INFINITY) + 5_000);
  expect(quick?.failovers.upper95PerYear).toBeGreaterThanOrEqual(2.99);
  expect(rows.some(({ efficient }) => efficient)).toBe(true);
});
