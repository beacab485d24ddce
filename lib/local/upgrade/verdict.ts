import type { Config } from '../../config/config.ts';
import { type AnswerChange, keyOf, NO_ANSWER, roleOfAnswer } from './answers.ts';

/**
 * What a deployment did. `held`: no answer changed. `asked`: answers changed, and no name changed its region.
 * `refused`: the guard refused, and no answer changed. `moved`: a name changed its region, or lost its answer
 * for a while. `failed`: the deployment failed for another reason.
 */
export const upgradeVerdicts = ['held', 'asked', 'refused', 'moved', 'failed'] as const;
export type UpgradeVerdict = (typeof upgradeVerdicts)[number];

const REFUSED = 'Spillway refuses this deployment';

export function judgeUpgrade({
  before,
  after,
  baseline,
  changes,
  reason,
}: {
  readonly before: Config;
  readonly after: Config;
  /** Answers before the deployment, by `keyOf`. */
  readonly baseline: ReadonlyMap<string, string>;
  readonly changes: readonly AnswerChange[];
  /** Why the deployment failed; undefined when it did not. */
  readonly reason: string | undefined;
}): UpgradeVerdict {
  const moved = changes.some((change) => {
    const first = baseline.get(keyOf(change));
    if (first === undefined || first === NO_ANSWER) return false;
    const was = roleOfAnswer(before, change, first);
    const is = roleOfAnswer(after, change, change.to) ?? roleOfAnswer(before, change, change.to);
    // A name that the new config does not have any more is gone because that was asked for.
    if (change.to === NO_ANSWER) return hasName(after, change);
    return is !== was;
  });
  if (moved) return 'moved';
  if (reason?.includes(REFUSED) === true) return 'refused';
  if (reason !== undefined) return 'failed';
  return changes.length === 0 ? 'held' : 'asked';
}

const hasName = (config: Config, { name }: AnswerChange): boolean =>
  config.cells.some(
    (cell) =>
      name === `signal.${cell.name}.${config.zone.name}` ||
      cell.services.some((service) => name === `${service.name}.${config.zone.name}`),
  );
