import { userInfo } from 'node:os';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { AwsClients } from './clients.ts';
import { type Reading, reading } from './reading.ts';

export interface Caller {
  /** The account of the credentials; absent when STS does not answer. */
  readonly account?: string;
  /** The name that is written into the journal and the overrides. */
  readonly owner: string;
  /** The answer of STS, which says why there is no account. */
  readonly identity: Reading<unknown>;
}

const IDENTITY_TIMEOUT_MS = 2_000;
/** The longest name that the conductor's input takes; the name of an assumed role's session may be longer. */
const MAX_OWNER = 200;
const MAX_TOLD = 60;
/** What is left beside the given name and the characters between the two. */
const MAX_IDENTITY = MAX_OWNER - MAX_TOLD - 3;

/**
 * Finds out who acts: the identity of the credentials as the standby's STS names it, else the user of this
 * machine; in front of it the name from `--owner`, which anybody may choose. Never fails: an act in an
 * emergency does not wait for a name.
 */
export async function caller(
  clients: AwsClients,
  { region, owner }: { readonly region: string; readonly owner: string | undefined },
): Promise<Caller> {
  const identity = await reading(IDENTITY_TIMEOUT_MS, (abortSignal) =>
    clients.identity(region).send(new GetCallerIdentityCommand({}), { abortSignal }),
  );
  const { Account: account, Arn: arn } = identity.ok ? identity.value : {};
  return {
    ...(account === undefined ? {} : { account }),
    owner: signed(owner, arn ?? localUser()),
    identity,
  };
}

function signed(told: string | undefined, identity: string): string {
  if (told === undefined) return identity.slice(0, MAX_OWNER);
  // The end of the identity tells which user of a role it was.
  return `${told.slice(0, MAX_TOLD)} (${identity.slice(-MAX_IDENTITY)})`;
}

function localUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
