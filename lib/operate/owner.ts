import { userInfo } from 'node:os';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { AwsClients } from './clients.ts';
import { reading } from './reading.ts';

export interface Caller {
  /** Of the credentials; absent when STS does not answer. */
  readonly account?: string;
  /** Who is written into journal and overrides. */
  readonly owner: string;
}

const IDENTITY_TIMEOUT_MS = 2_000;
/** What the conductor's input takes; the name of an assumed role's session may be longer. */
const MAX_OWNER = 200;

/**
 * Who acts: as told, else the identity of the credentials as the standby's STS names it, else the user of this
 * machine. Never an error: an act in an emergency does not wait for a name.
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
    owner: (owner ?? arn ?? localUser()).slice(0, MAX_OWNER),
  };
}

function localUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
