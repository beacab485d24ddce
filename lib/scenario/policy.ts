import type { Policy } from '../../lambda/core/policy.ts';
import type { ConfigProblem } from '../config/errors.ts';
import { object } from '../config/fields.ts';
import { configSchema } from '../config/schema.ts';
import { ScenarioError } from './errors.ts';

/** A policy's own keys and ranges, so that an outage can be played under another policy than the config's. */
export const policyOverride = object(configSchema.shape.policy.unwrap().shape).describe(
  'Settings of the policy that take the place of those of the config',
);

export type PolicyOverride = Partial<Policy>;

/**
 * What is to be played: with the scenario's own settings in the place of the config's. `problemsOf` checks the
 * relations between all of them.
 *
 * @throws ScenarioError when the settings do not go together.
 */
export function underPolicy<Played extends { readonly policy: Policy }>(
  played: Played,
  scenario: { readonly name: string; readonly policy?: PolicyOverride },
  problemsOf: (played: Played) => readonly ConfigProblem[],
): Played {
  if (scenario.policy === undefined) return played;
  const changed = { ...played, policy: { ...played.policy, ...scenario.policy } };
  const problems = problemsOf(changed);
  if (problems.length > 0) throw new ScenarioError(scenario.name, problems);
  return changed;
}
