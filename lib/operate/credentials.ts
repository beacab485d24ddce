import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { callFailure, deniedText } from '../credentials/failure.ts';
import { type Asker, askerOf } from '../credentials/problems.ts';
import {
  type Answer,
  type Caller,
  type CredentialsVerdict,
  refusedCredentials,
  verdictOf,
} from '../credentials/verdict.ts';
import type { AwsClients } from './clients.ts';
import { CredentialsError, NotAllowedError, UnansweredError } from './errors.ts';
import { type Reading, reading } from './reading.ts';

/** Identifies the caller: through STS of the standby, and no other. */
export interface Identifier {
  readonly clients: AwsClients;
  readonly region: string;
}

const IDENTITY_TIMEOUT_MS = 1_500;

/** The asker of this process: the SDK looks for credentials nowhere else. */
export const asker = (): Asker => askerOf(process.env);

/** Judges the credentials by all readings of AWS together. Never throws. */
export async function judgeCredentials(
  readings: Iterable<Reading<unknown>>,
  identifier: Identifier,
): Promise<CredentialsVerdict> {
  const answers = [...readings].map(answerOf);
  const verdict = verdictOf(answers, asker());
  // The credentials are valid, but for another account or role: name it.
  const isKnown = verdict.ok === false && ['no-rights', 'not-deployed'].includes(verdict.problem);
  return isKnown ? verdictOf(answers, asker(), await identify(identifier)) : verdict;
}

/** @throws CredentialsError when nothing could be read and the only reason is the caller's credentials. */
export async function assertReadable(
  readings: Iterable<Reading<unknown>>,
  identifier: Identifier,
): Promise<void> {
  assertTaken(await judgeCredentials(readings, identifier));
}

/** Call before the guards, which would also refuse, but blame the region. @throws CredentialsError */
export function assertTaken(verdict: CredentialsVerdict): void {
  if (verdict.ok === false) throw new CredentialsError(verdict, { note: 'Nothing was changed.' });
}

/** Explains an error of a call that is about the credentials; returns any other error unchanged. */
export async function explained<Thrown>(
  error: Thrown,
  identifier: Identifier,
): Promise<Thrown | CredentialsError | NotAllowedError> {
  const failure = callFailure(error);
  if (failure.kind === 'missing' && isOurs(error)) {
    const verdict = verdictOf([failure], asker(), await identify(identifier));
    return verdict.ok === false ? new CredentialsError(verdict, { cause: error }) : error;
  }
  return ofAsker(error);
}

/** Explains such an error without a further call. */
export function ofAsker<Thrown>(error: Thrown): Thrown | CredentialsError | NotAllowedError {
  const failure = callFailure(error);
  if (failure.kind === 'credentials') {
    return new CredentialsError(refusedCredentials(failure.problem, asker()), { cause: error });
  }
  // Its message names a way around, which the credentials may allow.
  if (error instanceof UnansweredError) return error;
  return failure.kind === 'denied' ? new NotAllowedError(deniedText(failure), { cause: error }) : error;
}

const answerOf = (read: Reading<unknown>): Answer =>
  read.ok ? undefined : (read.failure ?? { kind: 'other' });

/** Whether an error is of Spillway's own tables, and not of a stream that somebody named wrongly. */
const isOurs = (error: unknown): boolean => error instanceof Error && error.name === 'StateUnavailableError';

async function identify({ clients, region }: Identifier): Promise<Caller> {
  const identity = await reading(IDENTITY_TIMEOUT_MS, (abortSignal) =>
    clients.identity(region).send(new GetCallerIdentityCommand({}), { abortSignal }),
  );
  if (!identity.ok) return {};
  const { Account: account, Arn: arn } = identity.value;
  return { ...(account === undefined ? {} : { account }), ...(arn === undefined ? {} : { arn }) };
}
