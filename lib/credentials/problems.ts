import type { ErrorFacts } from '../../lambda/core/probe.ts';

/** The caller, as far as the environment says. */
export interface Asker {
  /** `AWS_PROFILE`, if it is set. */
  readonly profile?: string;
  /** `AWS_ACCESS_KEY_ID` is set, and no profile: the keys are in the environment itself. */
  readonly keysInEnvironment: boolean;
}

/** What an error says about credentials. */
export interface CredentialFacts extends ErrorFacts {
  readonly message: string;
  /** The error came from the source of the credentials, and no region has seen anything. */
  readonly fromProvider: boolean;
}

interface ProblemRow {
  readonly problem: string;
  readonly matches: (facts: CredentialFacts) => boolean;
  /** What is wrong: a clause. */
  readonly said: string;
  /** What to do about the problem: a command where one is enough, else a sentence without its full stop. */
  readonly fix: (asker: Asker) => string;
}

const named =
  (...names: readonly string[]) =>
  ({ name, code }: CredentialFacts): boolean =>
    names.includes(name) || (code !== undefined && names.includes(code));
const given =
  (pattern: RegExp) =>
  ({ fromProvider, name, message }: CredentialFacts): boolean =>
    fromProvider && pattern.test(`${name}: ${message}`);
const either =
  (...rules: readonly ((facts: CredentialFacts) => boolean)[]) =>
  (facts: CredentialFacts): boolean =>
    rules.some((rule) => rule(facts));

/**
 * Errors that are about the caller, by the names that the services use ("Common error types" of the AWS
 * references) and the texts that the SDK's providers throw. First match wins. None of them is evidence about
 * a region: `classifyError` agrees, and a test keeps the two consistent.
 */
export const credentialProblems = [
  {
    problem: 'clock',
    matches: either(
      named('RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'),
      // The same names as for a wrong secret: only the text tells them apart.
      ({ message }) => /signature (?:has )?expired|signature not yet current/i.test(message),
    ),
    said: 'the clock of this machine is wrong, so AWS rejects its signatures',
    fix: () => 'Set the clock (NTP), and repeat',
  },
  {
    problem: 'sso-expired',
    matches: given(/aws sso login|SSO session|Session token not found or invalid|UnauthorizedException/i),
    said: 'the SSO session has expired',
    fix: ({ profile }) => `aws sso login${profileFlag(profile)}`,
  },
  {
    problem: 'login-expired',
    matches: given(/aws login/i),
    said: 'the login session has expired',
    fix: ({ profile }) => `aws login${profileFlag(profile)}`,
  },
  {
    problem: 'no-such-profile',
    matches: either(
      named('NoSuchProfileError'),
      given(/Could not resolve credentials using profile|Profile .*(?:was not|could not be) found/i),
    ),
    said: 'the profile does not exist, or has no credentials',
    fix: ({ profile }) =>
      `Set AWS_PROFILE${profile === undefined ? '' : ` (now "${profile}")`} to a profile that \`aws configure list-profiles\` names`,
  },
  {
    problem: 'none',
    matches: either(
      named('MissingAuthenticationToken', 'MissingAuthenticationTokenException'),
      given(/from any providers/i),
    ),
    said: 'none were found on this machine',
    fix: ({ profile }) =>
      profile === undefined
        ? 'Log in (aws sso login --profile NAME), and set AWS_PROFILE=NAME'
        : `Log in: aws sso login${profileFlag(profile)}`,
  },
  {
    problem: 'mfa',
    matches: given(/multi-factor/i),
    said: 'the profile asks for a code (MFA), and Spillway cannot ask for one',
    fix: () => 'Use a profile with an open session (aws sts get-session-token, aws sso login)',
  },
  {
    problem: 'provider-silent',
    matches: named('ProviderTimeoutError'),
    said: 'their source does not answer',
    fix: ({ profile }) =>
      profile === undefined
        ? 'Set AWS_PROFILE; AWS_EC2_METADATA_DISABLED=true where there is no metadata service'
        : `Try the credentials alone: aws sts get-caller-identity${profileFlag(profile)}`,
  },
  {
    problem: 'role-refused',
    matches: given(/AccessDenied|ForbiddenException|No access/),
    said: 'these credentials may not assume the role of the profile',
    fix: ({ profile }) =>
      `Use another profile, or ask its owner for access: aws sts get-caller-identity${profileFlag(profile)}`,
  },
  {
    problem: 'expired',
    matches: either(
      named('ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'),
      given(/expired/i),
    ),
    said: 'they have expired',
    fix: ({ profile, keysInEnvironment }) => {
      if (keysInEnvironment) return 'Unset AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or set new ones';
      return profile === undefined
        ? 'Get new ones, or set AWS_PROFILE'
        : `aws sso login${profileFlag(profile)}`;
    },
  },
  {
    problem: 'unknown-key',
    matches: named(
      'UnrecognizedClientException',
      'InvalidClientTokenId',
      'InvalidAccessKeyId',
      'AuthFailure',
    ),
    said: 'AWS does not know the access key',
    fix: wrongKey,
  },
  {
    problem: 'wrong-secret',
    matches: named(
      'SignatureDoesNotMatch',
      'InvalidSignatureException',
      'IncompleteSignature',
      'IncompleteSignatureException',
    ),
    said: 'the secret key is not that of the access key',
    fix: wrongKey,
  },
  {
    problem: 'provider-failed',
    matches: ({ fromProvider }) => fromProvider,
    said: 'their source failed',
    fix: ({ profile }) => `Try the credentials alone: aws sts get-caller-identity${profileFlag(profile)}`,
  },
] as const satisfies readonly ProblemRow[];

export type CredentialProblem = (typeof credentialProblems)[number]['problem'];

/** Undefined: the error is no credentials problem. */
export function credentialProblemOf(facts: CredentialFacts): CredentialProblem | undefined {
  return credentialProblems.find(({ matches }) => matches(facts))?.problem;
}

export function credentialRow(problem: CredentialProblem): ProblemRow {
  const row = credentialProblems.find((one) => one.problem === problem);
  if (row === undefined) throw new Error(`The table has no row for ${problem}.`);
  return row;
}

function wrongKey({ keysInEnvironment }: Asker): string {
  return keysInEnvironment
    ? 'Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or unset them and set AWS_PROFILE'
    : 'Correct the keys of the profile, or set AWS_PROFILE to another';
}

/** Quoted for a shell where the name has to be. */
function profileFlag(profile: string | undefined): string {
  if (profile === undefined) return '';
  return /^[\w@.+-]+$/.test(profile)
    ? ` --profile ${profile}`
    : ` --profile '${profile.replaceAll("'", "'\\''")}'`;
}

export function askerOf(env: Readonly<Record<string, string | undefined>>): Asker {
  const profile = env.AWS_PROFILE || undefined;
  return {
    ...(profile === undefined ? {} : { profile }),
    keysInEnvironment: profile === undefined && (env.AWS_ACCESS_KEY_ID ?? '') !== '',
  };
}
