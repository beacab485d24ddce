import { type ErrorClass, errorClasses, type ProbeOutcome } from './probe.ts';

/**
 * Rounds in a row with an error of each class, of one region, by signal and class (`kinesisWrite access`): only rounds in
 * which that signal was probed count. What has had none is absent.
 */
export type DoubtfulRounds = Readonly<Record<string, number>>;

/** One such round may be a deployment in progress; three in a row are a state. */
export const LIMIT_ROUNDS = 3;
const MAX_ROUNDS = 1_000;

/** Counts one region's round, by signal. */
export function countDoubtful(
  before: DoubtfulRounds,
  outcomes: Readonly<Record<string, readonly ProbeOutcome[] | undefined>>,
): DoubtfulRounds {
  const isEmpty = before === none || Object.keys(before).length === 0;
  const after: Record<string, number> = {};
  for (const [key, rounds] of isEmpty ? [] : Object.entries(before)) {
    // A signal that was not probed says nothing new.
    if (outcomes[signalOf(key)] === undefined) after[key] = rounds;
  }
  let found = !isEmpty && Object.keys(after).length > 0;
  for (const signal in outcomes) {
    for (const outcome of outcomes[signal] ?? []) {
      if (outcome.ok || !errorClasses[outcome.errorClass].doubtful) continue;
      const key = `${signal} ${outcome.errorClass}`;
      after[key] = Math.min(MAX_ROUNDS, (before[key] ?? 0) + 1);
      found = true;
    }
  }
  return found ? after : none;
}

const signalOf = (key: string): string => key.slice(0, key.indexOf(' '));

const none: DoubtfulRounds = {};
const nobody: readonly Blame[] = [];

/** What doubtful errors say, once it is clear whose they are. */
export type Blame =
  | 'primary-refuses-access'
  | 'standby-refuses-access'
  | 'primary-canary-missing'
  | 'standby-canary-missing'
  | 'primary-unclassified'
  | 'standby-unclassified'
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
    bothButPuts: 'primary-canary-missing',
    primaryAlone: 'primary-canary-missing',
    standbyAlone: 'standby-canary-missing',
  },
  {
    classes: ['validation'],
    meaning: 'the request is refused as malformed',
    both: 'observer',
    bothButPuts: 'observer-in-part',
    primaryAlone: 'primary-unclassified',
    standbyAlone: 'standby-unclassified',
  },
  {
    classes: ['unclassified'],
    meaning: 'an error that no rule knows',
    both: 'observer',
    bothButPuts: 'observer-in-part',
    primaryAlone: 'primary-unclassified',
    standbyAlone: 'standby-unclassified',
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
      Object.entries(rounds).some(
        ([key, count]) => count >= LIMIT_ROUNDS && row.classes.some((name) => key.endsWith(` ${name}`)),
      );
    const [inPrimary, inStandby] = [shows(primary), shows(standby)];
    if (inPrimary && inStandby) found.add(standbyTakesPuts ? row.bothButPuts : row.both);
    else if (inPrimary) found.add(row.primaryAlone);
    else if (inStandby) found.add(row.standbyAlone);
  }
  return [...found];
}
