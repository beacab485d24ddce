import { Token } from 'aws-cdk-lib';
import type { Role } from '../../lambda/core/role.ts';
import { canNameEach, type StreamPair, sharedBeginning, streamRoles } from '../config/stream-names.ts';

export interface StreamArnsOptions {
  readonly regions: Readonly<Record<Role, string>>;
  readonly account: string;
  readonly streams: readonly StreamPair[];
}

/**
 * Each stream by its name; for more streams than a policy holds, one pattern per region: the common beginning
 * of all names.
 */
export function streamArns({ regions, account, streams }: StreamArnsOptions): readonly string[] {
  const arn = (role: Role, stream: string): string =>
    `arn:aws:kinesis:${regions[role]}:${account}:stream/${stream}`;
  if (!canNameEach(streams))
    return streamRoles.map((role) => arn(role, `${sharedBeginning(streams, role)}*`));
  return streamRoles.flatMap((role) =>
    [...new Set(streams.map((each) => each[role]))].map((stream) => arn(role, stream)),
  );
}

/** Whether so many streams are named by a pattern. */
export const isPattern = (arn: string): boolean => arn.endsWith('*');

/** As cdk-nag names a resource of an account that is not known at synth. */
export const shownArn = (arn: string, account: string): string =>
  Token.isUnresolved(account) ? arn.replace(account, '<AWS::AccountId>') : arn;
