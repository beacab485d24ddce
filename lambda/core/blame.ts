import { type ErrorClass, errorClasses, type ProbeOutcome } from './probe.ts';

/** Classes of errors that a caller may have caused. Whose fault they are shows in the comparison of both regions. */
export const doubtfulClasses = (Object.keys(errorClasses) as ErrorClass[]).filter(
  (name) => errorClasses[name].doubtful,
);

/** Rounds in a row with an error of each class, of one region. A class without one is absent. */
export type DoubtfulRounds = Readonly<Partial<Record<ErrorClass, number>>>;

/** One such round may be a deployment in progress; three in a row are a state. */
const LIMIT_ROUNDS = 3;
const MAX_ROUNDS = 1_000;

/** Counts one region's round. */
export function countDoubtful(
  before: DoubtfulRounds,
  outcomes: Iterable<readonly ProbeOutcome[]>,
): DoubtfulRounds {
  let after: Partial<Record<ErrorClass, number>> | undefined;
  for (const list of outcomes) {
    for (const outcome of list) {
      if (outcome.ok || !errorClasses[outcome.errorClass].doubtful) continue;
      after ??= {};
      after[outcome.errorClass] = Math.min(MAX_ROUNDS, (before[outcome.errorClass] ?? 0) + 1);
    }
  }
  return after ?? none;
}

const none: DoubtfulRounds = {};
const nobody: readonly Blame[] = [];

/** What doubtful errors say, once it is clear whose they are. */
export type Blame =
  | 'primary-refuses-access'
  | 'standby-refuses-access'
  | 'canary-missing'
  | 'unclassified'
  /** The observer itself is at fault, and the standby takes nothing from it. */
  | 'observer'
  /** The observer itself is at fault, in calls that are not needed to judge a region: the standby takes its puts. */
  | 'observer-in-part';

interface BlameRow {
  readonly classes: readonly ErrorClass[];
  readonly meaning: string;
  /** Both regions show it, and the standby takes none of this observer's puts. */
  readonly both: Blame;
  /** Both regions show it, and the standby takes puts: what the observer has is good enough to write with. */
  readonly bothButPuts: Blame;
  readonly primaryAlone: Blame;
  readonly standbyAlone: Blame;
}

/** `docs/diagnoses.md` is generated from this table. */
export const blames: readonly BlameRow[] = [
  {
    classes: ['access', 'clock'],
    meaning: 'credentials, permissions or the time of a signature are refused',
    both: 'observer',
    bothButPuts: 'observer-in-part',
    primaryAlone: 'primary-refuses-access',
    standbyAlone: 'standby-refuses-access',
  },
  {
    classes: ['missing'],
    meaning: 'a stream or another resource does not exist',
    both: 'observer',
    bothButPuts: 'canary-missing',
    primaryAlone: 'canary-missing',
    standbyAlone: 'canary-missing',
  },
  {
    classes: ['validation'],
    meaning: 'the request is refused as malformed',
    both: 'observer',
    bothButPuts: 'observer-in-part',
    primaryAlone: 'unclassified',
    standbyAlone: 'unclassified',
  },
  {
    classes: ['unclassified'],
    meaning: 'an error that no rule knows',
    both: 'observer',
    bothButPuts: 'observer-in-part',
    primaryAlone: 'unclassified',
    standbyAlone: 'unclassified',
  },
];

export interface BlameQuestion {
  readonly primary: DoubtfulRounds;
  readonly standby: DoubtfulRounds;
  /** The standby has taken a put of this observer lately. */
  readonly standbyTakesPuts: boolean;
}

/**
 * Whose fault the doubtful errors of the last rounds are. An error of one region alone is never the
 * observer's: the same observer, with the same credentials and code, is understood by the other region.
 */
export function blamesOf({ primary, standby, standbyTakesPuts }: BlameQuestion): readonly Blame[] {
  if (primary === none && standby === none) return nobody;
  const found = new Set<Blame>();
  for (const row of blames) {
    const shows = (rounds: DoubtfulRounds): boolean =>
      row.classes.some((name) => (rounds[name] ?? 0) >= LIMIT_ROUNDS);
    const [inPrimary, inStandby] = [shows(primary), shows(standby)];
    if (inPrimary && inStandby) found.add(standbyTakesPuts ? row.bothButPuts : row.both);
    else if (inPrimary) found.add(row.primaryAlone);
    else if (inStandby) found.add(row.standbyAlone);
  }
  return [...found];
}
