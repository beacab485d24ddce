import { userInfo } from 'node:os';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { AwsClients } from './clients.ts';
import { type Reading, reading } from './reading.ts';

export interface Caller {
  /** Of the credentials; absent when STS does not answer. */
  readonly account?: string;
  /** Who is written into journal and overrides. */
  readonly owner: string;
  /** What STS answered, for whoever wants to know why there is no account. */
  readonly identity: Reading<unknown>;
}

const IDENTITY_TIMEOUT_MS = 2_000;
/** What the conductor's input takes; the name of an assumed role's session may be longer. */
const MAX_OWNER = 200;
const MAX_TOLD = 60;
/** With the name that was told, and what is between them. */
const MAX_IDENTITY = MAX_OWNER - MAX_TOLD - 3;

/**
 * Who acts: the identity of the credentials as the standby's STS names it, else the user of this machine; before it the
 * name that was told, which anybody may choose. Never an error: an act in an emergency does not wait for a name.
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
  // Its end tells who of a role it was.
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
