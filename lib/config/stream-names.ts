// How a role's policies name streams: each by its name, or, where these are too many, all by the beginning that they share.

export interface StreamPair {
  readonly primary: string;
  readonly standby: string;
  /** ARNs of the keys that encrypt them, which the same policies name. */
  readonly keys?: readonly string[];
}
export const streamRoles = ['primary', 'standby'] as const;
export type StreamRole = (typeof streamRoles)[number];

/**
 * A role's policies hold 10,240 characters together ("IAM and AWS STS quotas"), and the rest of the policies
 * needs about two thousand. CDK counts each name in an unknown account as 150 characters, and moves statements
 * that it thinks too long to another policy.
 */
const MOST_CHARACTERS = 8_000;
const MOST_ARNS = 50;
/** Of an ARN of a stream, without the stream's name; an account that is not known yet has 24 characters. */
const ARN_CHARACTERS = 75;
/** Of the statement around a key. */
const KEY_CHARACTERS = 30;

/** Each stream once, in both regions. */
const namesOf = (streams: readonly StreamPair[]): readonly string[] =>
  streamRoles.flatMap((role) => [...new Set(streams.map((each) => each[role]))]);

/** How many more ARNs a role's policies can name beside these streams. */
export const arnsLeft = (streams: readonly StreamPair[]): number =>
  MOST_ARNS - (canNameEach(streams) ? namesOf(streams).length : streamRoles.length);

/** Whether a role's policies can name each of these streams. */
export function canNameEach(streams: readonly StreamPair[]): boolean {
  const names = namesOf(streams);
  const keys = [...new Set(streams.flatMap((each) => each.keys ?? []))];
  const characters =
    names.reduce((sum, name) => sum + name.length + ARN_CHARACTERS, 0) +
    keys.reduce((sum, key) => sum + key.length + KEY_CHARACTERS, 0);
  return names.length <= MOST_ARNS && characters <= MOST_CHARACTERS;
}

/** The letters that the names of all these streams begin with, in this role. */
export function sharedBeginning(streams: readonly StreamPair[], role: StreamRole): string {
  const names = streams.map((each) => each[role]);
  const [first = ''] = names;
  let letters = 0;
  while (letters < first.length && names.every((name) => name[letters] === first[letters])) letters++;
  return first.slice(0, letters);
}
