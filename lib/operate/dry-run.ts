import type { Divert, PlannedCall } from './calls.ts';

/** Stands for the account number, which only AWS knows. */
const ACCOUNT = '<account>';

export interface DryRun {
  readonly calls: readonly PlannedCall[];
  readonly divertTo: Divert;
  /** Settings for clients whose calls are really made: those that only read, to ask the guards. */
  readonly onCall: (call: PlannedCall) => void;
}

/**
 * Records the calls that would be made. The code that runs is the real one, with clients that send nothing,
 * so that what is printed cannot differ from what would be done. Reads answer as if nothing had ever been
 * set, except the reads for the guards, which are really made.
 */
export function dryRun(): DryRun {
  const calls: PlannedCall[] = [];
  return {
    calls,
    onCall: (call) => void calls.push(call),
    divertTo: (call) => {
      calls.push(call);
      return call.operation === 'GetCallerIdentity'
        ? { Account: ACCOUNT, Arn: `arn:aws:sts::${ACCOUNT}:<caller>` }
        : undefined;
    },
  };
}
