import type { CallFailure } from './failure.ts';
import { type Asker, type CredentialProblem, credentialRow } from './problems.ts';

/** What is known of who asks; STS says it. */
export interface Caller {
  readonly account?: string;
  readonly arn?: string;
}

export interface RefusedCredentials {
  readonly ok: false;
  /**
   * A row of `credentialProblems`; or `no-rights`: known, and allowed to read nothing; or `not-deployed`: no table is there
   * in this account.
   */
  readonly problem: CredentialProblem | 'no-rights' | 'not-deployed';
  /** A clause. */
  readonly said: string;
  /** What to do about it. */
  readonly fix: string;
  readonly account?: string;
  readonly arn?: string;
}

/** Whether the credentials are good for looking at this deployment. Null: no region has answered, so nobody knows. */
export type CredentialsVerdict = { readonly ok: true } | { readonly ok: null } | RefusedCredentials;

/** One question to AWS: nothing when it was answered, else why it was not. */
export type Answer = CallFailure | undefined;

/**
 * Pure: what the answers of all regions say of the credentials together. One region that takes them clears them: what another
 * then says against them is that region's, not the person's.
 */
export function verdictOf(answers: readonly Answer[], asker: Asker, caller: Caller = {}): CredentialsVerdict {
  const failures = answers.flatMap((answer) =>
    answer === undefined || answer.kind === 'unusable' ? [] : [answer],
  );
  if (failures.length < answers.length) return { ok: true };
  const denied = failures.find((failure) => failure.kind === 'denied');
  const missing = failures.some(({ kind }) => kind === 'missing');
  if (missing && denied === undefined) return notDeployed(caller);
  if (denied !== undefined && !missing) return noRights(caller.arn ?? denied.who, caller);
  // Known here and denied there: it is one account, and each part says what is wrong with it.
  if (denied !== undefined) return { ok: true };
  const refused = failures.find((failure) => failure.kind === 'credentials');
  return refused === undefined ? { ok: null } : refusedCredentials(refused.problem, asker);
}

export function refusedCredentials(problem: CredentialProblem, asker: Asker): RefusedCredentials {
  const { said, fix } = credentialRow(problem);
  return { ok: false, problem, said, fix: fix(asker) };
}

function notDeployed({ account, arn }: Caller): RefusedCredentials {
  const where = account === undefined ? 'this account' : `account ${account}`;
  return {
    ok: false,
    problem: 'not-deployed',
    said: `${where} has none of the tables that were asked for: either nothing is deployed yet, or it is in another account`,
    fix: 'Set AWS_PROFILE to the account of the deployment, or correct `name` and `regions` in the config',
    ...(account === undefined ? {} : { account }),
    ...(arn === undefined ? {} : { arn }),
  };
}

function noRights(arn: string | undefined, { account }: Caller): RefusedCredentials {
  return {
    ok: false,
    problem: 'no-rights',
    said: `${arn ?? 'who they name'} may read none of the tables that were asked for`,
    fix: 'Set AWS_PROFILE to a role with the rights that docs/cli.md lists',
    ...(account === undefined ? {} : { account }),
    ...(arn === undefined ? {} : { arn }),
  };
}

/** One line for people. */
export const credentialsLine = ({ said, fix }: Pick<RefusedCredentials, 'said' | 'fix'>): string =>
  `Your credentials: ${said}. That says nothing about any region. To mend it: ${fix}.`;
