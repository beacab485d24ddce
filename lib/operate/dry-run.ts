import type { Divert, PlannedCall } from './calls.ts';

/** Stands for what only AWS knows. */
const ACCOUNT = '<account>';

export interface DryRun {
  readonly calls: readonly PlannedCall[];
  readonly divertTo: Divert;
  /** For clients whose calls are made in earnest: what only reads, to ask the guards. */
  readonly onCall: (call: PlannedCall) => void;
}

/**
 * Takes down what would be called. The code that runs is the real one, with clients that send nothing: so what is
 * printed cannot differ from what would be done. Reads answer as if nothing had ever been set, but for those by which the
 * guards are asked, which are made.
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
