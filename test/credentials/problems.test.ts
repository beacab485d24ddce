import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyError, errorClasses } from '../../lambda/core/probe.ts';
import { NoCredentialsError } from '../../lib/credentials/errors.ts';
import { callFailure } from '../../lib/credentials/failure.ts';
import { type Asker, credentialProblems, credentialRow } from '../../lib/credentials/problems.ts';
import { StateUnavailableError } from '../../lib/state/errors.ts';

const thrown = (name: string, message = '', extra: object = {}): Error =>
  Object.assign(new Error(message), { name, ...extra });
const answered = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } });
const fromProvider = (cause: Error): Error => new NoCredentialsError('none', { cause });

describe('an answer of a service', () => {
  test.each([
    ['ExpiredTokenException', 'The security token included in the request is expired', 'expired'],
    ['ExpiredToken', 'The security token included in the request is expired', 'expired'],
    ['UnrecognizedClientException', 'The security token included in the request is invalid.', 'unknown-key'],
    ['InvalidClientTokenId', 'The security token included in the request is invalid.', 'unknown-key'],
    [
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided.',
      'wrong-secret',
    ],
    ['SignatureDoesNotMatch', 'The request signature we calculated does not match', 'wrong-secret'],
    [
      'InvalidSignatureException',
      'Signature expired: 20261125T020000Z is now earlier than 20261125T025500Z (20261125T030000Z - 5 min.)',
      'clock',
    ],
    [
      'SignatureDoesNotMatch',
      'Signature not yet current: 20261125T040000Z is still later than 20261125T030500Z',
      'clock',
    ],
    [
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      'clock',
    ],
    ['MissingAuthenticationTokenException', 'Request is missing Authentication Token', 'none'],
    ['IncompleteSignatureException', "Authorization header requires 'Credential' parameter.", 'wrong-secret'],
  ])('%s (%s) is about the person: %s', (name, message, problem) => {
    const error = thrown(name, message, answered(400));
    const wrapped = new StateUnavailableError('The state table shop-state does not answer.', {
      cause: error,
    });
    expect(callFailure(error)).toEqual({ kind: 'credentials', problem });
    expect(callFailure(wrapped)).toEqual({ kind: 'credentials', problem });
    // The observers' own table agrees: it is no evidence about the region.
    expect(errorClasses[classifyError({ name, status: 400 })].evidence).toBe(false);
  });

  test('that denies one act tells which, on what, and to whom', () => {
    const who = 'arn:aws:sts::123456789012:assumed-role/oncall/ana';
    const table = 'arn:aws:dynamodb:us-west-2:123456789012:table/shop-state';
    const message = `User: ${who} is not authorized to perform: dynamodb:Query on resource: ${table} because no identity-based policy allows the dynamodb:Query action`;
    expect(callFailure(thrown('AccessDeniedException', message, answered(400)))).toEqual({
      kind: 'denied',
      action: 'dynamodb:Query',
      resource: table,
      who,
    });
  });

  test.each([
    ['TimeoutError', {}],
    ['AbortError', {}],
    ['InternalServerError', answered(500)],
    ['ServiceUnavailable', answered(503)],
    ['ThrottlingException', answered(400)],
    ['Error', { code: 'ECONNREFUSED' }],
    ['Error', { code: 'ENOTFOUND' }],
  ])('%s %o looks like an outage, and is one', (name, extra) => {
    expect(callFailure(thrown(name, 'x', extra))).toEqual({ kind: 'silent' });
  });

  test('with 403 from something on the way is neither', () => {
    expect(callFailure(thrown('Unknown', 'UnknownError', answered(403)))).toEqual({ kind: 'other' });
  });

  test('a table that is not there is told apart', () => {
    expect(callFailure(thrown('ResourceNotFoundException', 'x', answered(400)))).toEqual({ kind: 'missing' });
  });
});

/** Texts of the SDK's providers (credential-provider-*, token-providers). */
describe('what a provider throws', () => {
  test.each([
    ['CredentialsProviderError', 'Could not load credentials from any providers', 'none'],
    [
      'CredentialsProviderError',
      'The SSO session associated with this profile has expired. To refresh this SSO session run aws sso login with the corresponding profile.',
      'sso-expired',
    ],
    [
      'CredentialsProviderError',
      "Token is expired. To refresh this SSO session run 'aws sso login' with the corresponding profile.",
      'sso-expired',
    ],
    [
      'TokenProviderError',
      "The SSO session token associated with profile=prod was not found or is invalid. To refresh this SSO session run 'aws sso login' with the corresponding profile.",
      'sso-expired',
    ],
    ['CredentialsProviderError', 'UnauthorizedException: Session token not found or invalid', 'sso-expired'],
    ['CredentialsProviderError', 'ForbiddenException: No access', 'role-refused'],
    [
      'CredentialsProviderError',
      'Failed to load a token for session x, please re-authenticate using aws login',
      'login-expired',
    ],
    [
      'CredentialsProviderError',
      'Could not resolve credentials using profile: [prod] in configuration/credentials file(s).',
      'no-such-profile',
    ],
    [
      'CredentialsProviderError',
      'Profile prod requires multi-factor authentication, but no MFA code callback was provided.',
      'mfa',
    ],
    ['Error', 'Profile prod credential_process returned expired credentials.', 'expired'],
    ['Error', 'Profile prod credential_process returned invalid JSON.', 'provider-failed'],
    ['AccessDenied', 'User: x is not authorized to perform: sts:AssumeRole on resource: y', 'role-refused'],
    ['ExpiredTokenException', 'The security token included in the request is expired', 'expired'],
    ['ProviderTimeoutError', 'no credentials within 10 s', 'provider-silent'],
    ['NoSuchProfileError', 'the profile "prod" does not exist, or holds no credentials', 'no-such-profile'],
  ])('%s (%s) is %s', (name, message, problem) => {
    const error = fromProvider(thrown(name, message));
    expect(callFailure(error)).toEqual({ kind: 'credentials', problem });
    expect(callFailure(new StateUnavailableError('no answer', { cause: error }))).toEqual({
      kind: 'credentials',
      problem,
    });
  });

  test('is a credentials problem whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, message) => {
        expect(callFailure(fromProvider(thrown(name, message))).kind).toBe('credentials');
      }),
    );
  });
});

test('nothing that the observers take for evidence about a region is ever a matter of credentials', () => {
  const names = fc.constantFrom(
    'TimeoutError',
    'AbortError',
    'InternalFailure',
    'ServiceUnavailable',
    'SyntaxError',
  );
  fc.assert(
    fc.property(names, fc.integer({ min: 500, max: 599 }), (name, status) => {
      expect(callFailure(thrown(name, 'expired token, SSO session', answered(status))).kind).toBe('silent');
    }),
  );
});

describe('what to do', () => {
  const askers: readonly Asker[] = [
    { keysInEnvironment: false },
    { keysInEnvironment: true },
    { profile: 'prod', keysInEnvironment: false },
  ];

  test('is said for every problem, names the profile that is set, and ends without a full stop', () => {
    for (const { problem } of credentialProblems) {
      for (const asker of askers) expect(credentialRow(problem).fix(asker), problem).toMatch(/^\w.*[^.]$/);
    }
    expect(credentialRow('sso-expired').fix({ profile: 'prod', keysInEnvironment: false })).toBe(
      'aws sso login --profile prod',
    );
  });

  test('can be pasted into a shell, whatever the profile is called', () => {
    const { fix } = credentialRow('sso-expired');
    expect(fix({ profile: "it's; rm", keysInEnvironment: false })).toBe(
      "aws sso login --profile 'it'\\''s; rm'",
    );
  });
});
