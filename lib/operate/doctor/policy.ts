import { rtoBudget } from '../../config/budget.ts';
import type { Config } from '../../config/config.ts';
import { type Check, type Finding, ill, well } from './check.ts';

const CHECK = 'policy';
/** On 2025-10-20 a second dip followed the first recovery within the hour. */
const CAREFUL_RECOVERY_MS = 600_000;
const SHARED_SWITCH_LIMIT = 0.5;

/** Finds policy values that the schema allows and an operator may still regret. */
export const policy: Check = {
  check: CHECK,
  purpose: 'the policy does what its owner probably wants',
  region: ({ regions }) => regions.standby,
  run: ({ config }) => Promise.resolve(policyFindings(config)),
};

/** Pure. */
export function policyFindings(config: Config): readonly Finding[] {
  const { policy: rules, delivery } = config;
  const found: Finding[] = [];
  if (rules.mode === 'observe') {
    found.push(
      ill(
        CHECK,
        'mode is observe: nothing moves by itself',
        "Write policy.mode: 'approve' or 'auto', and deploy.",
      ),
    );
  }
  if (rules.recoveryMs < CAREFUL_RECOVERY_MS) {
    const finding = `the primary counts as recovered after ${rules.recoveryMs / 1_000} s, and an outage often returns`;
    found.push(ill(CHECK, finding, `Write policy.recoveryMs: ${CAREFUL_RECOVERY_MS} or more.`));
  }
  if (rules.cooldownMs > 0 && rules.cooldownMs < rules.recoveryMs) {
    found.push(
      ill(
        CHECK,
        'the cooldown is shorter than the recovery time',
        `Write policy.cooldownMs: ${rules.recoveryMs} or more.`,
      ),
    );
  }
  const groups = Map.groupBy(config.cells, ({ group }) => group);
  const largest = [...groups].toSorted(([, a], [, b]) => b.length - a.length)[0];
  if (
    largest !== undefined &&
    groups.size > 1 &&
    largest[1].length > config.cells.length * SHARED_SWITCH_LIMIT
  ) {
    const finding = `${largest[1].length} of ${config.cells.length} cells share the switch ${largest[0]}: they move back all at the same time`;
    found.push(ill(CHECK, finding, 'Give some of them a group of their own.'));
  }
  const { totalMs } = rtoBudget(rules, delivery);
  const budget = `worst-case recovery time ${totalMs / 1_000} s, asked for ${delivery.rtoMs / 1_000} s`;
  return found.length > 0 ? found : [well(CHECK, `mode ${rules.mode}; ${budget}`)];
}
