import type { CallFailure } from './failure.ts';
import { type Asker, type CredentialProblem, credentialRow } from './problems.ts';

/** What STS says about the caller. */
export interface Caller {
  readonly account?: string;
  readonly arn?: string;
}

export interface RefusedCredentials {
  readonly ok: false;
  /**
   * A row of `credentialProblems`; or `no-rights`: AWS knows the caller, who may read nothing; or
   * `not-deployed`: this account has none of the tables.
   */
  readonly problem: CredentialProblem | 'no-rights' | 'not-deployed';
  /** What is wrong: a clause. */
  readonly said: string;
  /** What to do about the problem. */
  readonly fix: string;
  readonly account?: string;
  readonly arn?: string;
}

/** Whether the credentials work for this deployment. Null: not known, because no region has answered. */
export type CredentialsVerdict = { readonly ok: true } | { readonly ok: null } | RefusedCredentials;

/** The result of one question to AWS: undefined when there was an answer, else why there was none. */
export type Answer = CallFailure | undefined;

/**
 * Pure: judges the credentials by the answers of all regions together. One region that accepts the
 * credentials clears them: an objection of another region is then that region's problem, not the caller's.
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
  // Some regions allow reads and others deny them: the account is the right one, and each part says what is
  // wrong with it.
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
    said: `${arn ?? 'their identity'} may read none of the tables that were asked for`,
    fix: 'Set AWS_PROFILE to a role with the rights that docs/cli.md lists',
    ...(account === undefined ? {} : { account }),
    ...(arn === undefined ? {} : { arn }),
  };
}

/** Describes the problem in one line for people. */
export const credentialsLine = ({ said, fix }: Pick<RefusedCredentials, 'said' | 'fix'>): string =>
  `Your credentials: ${said}. This says nothing about any region. To fix this: ${fix}.`;
