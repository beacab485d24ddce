import { expect, it } from 'vitest';
import { leadMs, withoutLead } from '../../../lib/local/drill/schedule.ts';
import { fault, scenarioOf } from '../../simulator/deployed.ts';

const MINUTE_MS = 60_000;

it('a long quiet beginning is cut to ten seconds, and faults and lies last as long as before', () => {
  const faults = [
    fault({ atMs: 5 * MINUTE_MS, untilMs: 7 * MINUTE_MS }),
    fault({ atMs: 9 * MINUTE_MS, untilMs: 10 * MINUTE_MS }),
  ];
  const lies = [{ atMs: 6 * MINUTE_MS, untilMs: 8 * MINUTE_MS, share: 0.3, says: 'failing' } as const];

  const cut = withoutLead({ ...scenarioOf(20 * MINUTE_MS, faults), lies });

  const skippedMs = 5 * MINUTE_MS - 10_000;
  expect(leadMs(cut)).toBe(10_000);
  expect(cut.durationMs).toBe(20 * MINUTE_MS - skippedMs);
  expect([...cut.faults, ...(cut.lies ?? [])].map(({ atMs, untilMs }) => [atMs, untilMs])).toEqual(
    [...faults, ...lies].map(({ atMs, untilMs }) => [atMs - skippedMs, untilMs - skippedMs]),
  );
});

it('a scenario that begins at once is played as it is', () => {
  const scenario = scenarioOf(MINUTE_MS, [fault({ atMs: 4_000 })]);
  expect(withoutLead(scenario)).toBe(scenario);
});
