import { classifyError, errorClasses } from '../../lambda/core/probe.ts';
import { NoCredentialsError, UnusableAnswerError } from './errors.ts';
import { type CredentialProblem, credentialProblemOf } from './problems.ts';

export interface Denied {
  readonly kind: 'denied';
  /** The denied action, such as `dynamodb:GetItem`, where the answer names one. */
  readonly action?: string;
  readonly resource?: string;
  readonly who?: string;
}

/**
 * The reason why a call did not give what was asked for.
 *
 * - `credentials`: about the person who asks; it says nothing about the region.
 * - `denied`: the region knows the caller, and does not allow this one act.
 * - `missing`: there is no such table or stream in this account.
 * - `silent`: the region did not answer, or answered that it cannot. This is what an outage looks like.
 * - `unusable`: there was an answer, but it does not help.
 * - `other`: none of these.
 */
export type CallFailure =
  | { readonly kind: 'credentials'; readonly problem: CredentialProblem }
  | Denied
  | { readonly kind: 'missing' | 'silent' | 'unusable' | 'other' };

export type FailureKind = CallFailure['kind'];

const MAX_CAUSES = 5;

interface SdkErrorShape {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode?: number };
}

/** Classifies an error, or the first of its causes that can be classified. */
export function callFailure(error: unknown): CallFailure {
  const causes = causesOf(error);
  const at = causes.findIndex((cause) => cause instanceof NoCredentialsError);
  const fromProvider = at >= 0;
  if (causes.some((cause) => cause instanceof UnusableAnswerError)) return { kind: 'unusable' };
  // The errors wrapped around it say less.
  for (const cause of causes.slice(at + 1)) {
    const failure = failureOf(cause as SdkErrorShape, fromProvider);
    if (failure !== undefined) return failure;
  }
  return fromProvider ? { kind: 'credentials', problem: 'provider-failed' } : { kind: 'other' };
}

function failureOf(cause: SdkErrorShape, fromProvider: boolean): CallFailure | undefined {
  const { name = 'Error', code, message = '' } = cause;
  const status = cause.$metadata?.httpStatusCode ?? cause.$response?.statusCode;
  // A client's own provider throws these errors without Spillway's wrapping.
  const isProviders = fromProvider || name === 'CredentialsProviderError' || name === 'TokenProviderError';
  const problem = credentialProblemOf({ name, code, status, message, fromProvider: isProviders });
  if (problem !== undefined) return { kind: 'credentials', problem };
  const errorClass = classifyError({ name, code, status });
  if (errorClass === 'unclassified') return undefined;
  // A bare 403 may come from anything on the way, a proxy for instance.
  if (errorClass === 'access') {
    return /AccessDenied|NotAuthorized/.test(name)
      ? { kind: 'denied', ...refusalOf(message) }
      : { kind: 'other' };
  }
  if (errorClass === 'missing') return { kind: 'missing' };
  const { evidence } = errorClasses[errorClass];
  return { kind: evidence || errorClass === 'throttled' ? 'silent' : 'other' };
}

/** "User: ARN is not authorized to perform: ACTION on resource: ARN because …" */
function refusalOf(message: string): Omit<Denied, 'kind'> {
  const who = /User: (arn:\S+)/.exec(message)?.[1];
  const action = /not authorized to perform: ([\w-]+:\w+)/.exec(message)?.[1];
  const resource = /on resource: (\S+)/.exec(message)?.[1];
  return {
    ...(action === undefined ? {} : { action }),
    ...(resource === undefined ? {} : { resource }),
    ...(who === undefined ? {} : { who }),
  };
}

/** Says what has to be allowed, in a sentence without its full stop. */
export function deniedText({ action, resource, who }: Denied): string {
  const what = action === undefined ? 'AWS denies this' : `${action} is denied`;
  const on =
    resource === undefined ? '' : ` on ${resource.replace(/^arn:[^:]*:[^:]*:([^:]*):[^:]*:/, '$1 ')}`;
  return `${what}${on}${who === undefined ? '' : ` to ${who}`}: have this allowed (docs/cli.md, Rights)`;
}

function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let one = error; one !== undefined && one !== null && causes.length < MAX_CAUSES; ) {
    causes.push(one);
    one = typeof one === 'object' && 'cause' in one ? one.cause : undefined;
  }
  return causes;
}
