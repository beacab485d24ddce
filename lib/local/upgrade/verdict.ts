import type { Config } from '../../config/config.ts';
import { type AnswerChange, keyOf, NO_ANSWER, namesOf, roleOfAnswer } from './answers.ts';

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
  /** In the order in which they were seen. */
  readonly changes: readonly AnswerChange[];
  /** Why the deployment failed; undefined when it did not. */
  readonly reason: string | undefined;
}): UpgradeVerdict {
  const followed = changes.filter((change) => !isFirstAnswer(change, baseline));
  const roleOf = (change: AnswerChange, answer: string) => roleOfAnswer([after, before], change, answer);
  const moved = followed.some((change) => {
    // A name that the new config does not have any more is gone because that was asked for.
    if (change.to === NO_ANSWER) return hasName(after, change);
    const role = roleOf(change, change.to);
    // An answer that is of neither region is one that nobody asked for.
    return role === undefined || role !== roleOf(change, change.from);
  });
  if (moved) return 'moved';
  if (reason?.includes(REFUSED) === true) return 'refused';
  if (reason !== undefined) return 'failed';
  return followed.length === 0 ? 'held' : 'asked';
}

/** A name that had no record, and has one now: nobody followed it before. */
const isFirstAnswer = (change: AnswerChange, baseline: ReadonlyMap<string, string>): boolean =>
  change.from === NO_ANSWER && baseline.get(keyOf(change)) === NO_ANSWER;

const hasName = (config: Config, { name, type }: AnswerChange): boolean =>
  namesOf([config]).some((each) => each.name === name && each.type === type);
