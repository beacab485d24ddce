import { Token } from 'aws-cdk-lib';
import type { Role } from '../../lambda/core/role.ts';

/**
 * A role's policies hold 10,240 characters together ("IAM and AWS STS quotas"), and the rest of the policies
 * needs about two thousand. CDK counts each name in an unknown account as 150 characters, and moves statements
 * that it thinks too long to another policy.
 */
const NAMES_CHARACTERS = 8_000;
const NAMES = 50;
const roles = ['primary', 'standby'] as const satisfies readonly Role[];

export interface StreamArnsOptions {
  readonly regions: Readonly<Record<Role, string>>;
  readonly account: string;
  readonly streams: readonly Readonly<Record<Role, string>>[];
}

/**
 * Each stream by its name; for more streams than a policy holds, one pattern per region: the common beginning
 * of all names.
 */
export function streamArns({ regions, account, streams }: StreamArnsOptions): readonly string[] {
  const arn = (role: Role, stream: string): string =>
    `arn:aws:kinesis:${regions[role]}:${account}:stream/${stream}`;
  const named = roles.flatMap((role) =>
    [...new Set(streams.map((each) => each[role]))].map((stream) => arn(role, stream)),
  );
  if (named.length <= NAMES && named.join().length <= NAMES_CHARACTERS) return named;
  return roles.map((role) => arn(role, `${commonStart(streams.map((each) => each[role]))}*`));
}

/** The letters that all names begin with. */
export function commonStart(names: readonly string[]): string {
  const [first = ''] = names;
  const length = [...first].findIndex((letter, n) => names.some((name) => name[n] !== letter));
  return length === -1 ? first : first.slice(0, length);
}

/** Whether so many streams are named by a pattern. */
export const isPattern = (arn: string): boolean => arn.endsWith('*');

/** As cdk-nag names a resource of an account that is not known at synth. */
export const shownArn = (arn: string, account: string): string =>
  Token.isUnresolved(account) ? arn.replace(account, '<AWS::AccountId>') : arn;
