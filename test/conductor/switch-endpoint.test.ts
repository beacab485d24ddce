import { describe, expect, it } from 'vitest';
import { runScenario } from '../../lib/simulator/run.ts';
import { deployed, fault, MINUTE_MS, scenarioOf } from '../simulator/deployed.ts';

const SECOND_MS = 1_000;
/** The outage is over after five minutes, and the votes with it: from then on the switches alone hold traffic. */
const OUTAGE_MS = 5 * MINUTE_MS;
/** The endpoint goes down when the votes are long gone. */
const DOWN_MS = 20 * MINUTE_MS;
const quick = { ...deployed, policy: { ...deployed.policy, recoveryMs: 2 * MINUTE_MS } };

/** Nothing of the standby's functions answers to the checkers for so long; with the outage over, or going on. */
const downFor = (ms: number, { outageMs = OUTAGE_MS, seed = 1 } = {}) =>
  runScenario({
    system: quick,
    seed,
    scenario: scenarioOf(30 * MINUTE_MS, [
      fault({ untilMs: outageMs }),
      fault({
        atMs: DOWN_MS,
        untilMs: DOWN_MS + ms,
        where: { region: 'standby', service: 'lambda', operations: ['InvokeFunctionUrl'] },
        effect: { kind: 'blackhole' },
      }),
    ]),
  });
const seeds = [1, 2, 3, 4, 5];

describe('the switch endpoint, down while the switches alone hold traffic,', () => {
  it.each([10, 20])('for %i s: the latch rides it out', (seconds) => {
    for (const seed of seeds) {
      expect(downFor(seconds * SECOND_MS, { seed })).toMatchObject({
        flips: 1,
        returnMs: null,
        violations: [],
      });
    }
  });

  // Chosen, and said in the guarantees: a dead standby must not hold traffic that a healthy primary could take.
  it('for 60 s: traffic returns to the healthy primary, and to the standby when the endpoint is back', () => {
    for (const seed of seeds) {
      const result = downFor(60 * SECOND_MS, { seed });
      expect(result).toMatchObject({ flips: 3, violations: [] });
      expect(result.returnMs).toBeGreaterThan(DOWN_MS + 25 * SECOND_MS);
    }
  });

  it('for 60 s while the outage goes on: the votes of the others hold it', () => {
    for (const seed of seeds) {
      const result = downFor(60 * SECOND_MS, { outageMs: 30 * MINUTE_MS, seed });
      expect(result).toMatchObject({ flips: 1, returnMs: null, violations: [] });
    }
  });
});
