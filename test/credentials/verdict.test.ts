import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallFailure } from '../../lib/credentials/failure.ts';
import { type Answer, verdictOf } from '../../lib/credentials/verdict.ts';

const asker = { profile: 'prod', keysInEnvironment: false };
const verdict = (...answers: readonly Answer[]) => verdictOf(answers, asker);
const expired: CallFailure = { kind: 'credentials', problem: 'expired' };
const unknownKey: CallFailure = { kind: 'credentials', problem: 'unknown-key' };
const denied: CallFailure = { kind: 'denied', who: 'arn:aws:iam::1:user/ana' };
const missing: CallFailure = { kind: 'missing' };
const silent: CallFailure = { kind: 'silent' };
const unusable: CallFailure = { kind: 'unusable' };
const answer = fc.constantFrom<Answer>(undefined, expired, unknownKey, denied, missing, silent, unusable, {
  kind: 'other',
});

describe('the credentials', () => {
  test.each([
    ['all take them', [undefined, undefined], { ok: true }],
    ['one takes them, one refuses', [undefined, expired], { ok: true }],
    ['one takes them with an answer of no use', [unusable, expired], { ok: true }],
    ['nobody answers', [silent, silent], { ok: null }],
    ['nobody was asked', [], { ok: null }],
    [
      'all refuse',
      [expired, expired],
      { ok: false, problem: 'expired', fix: 'aws sso login --profile prod' },
    ],
    ['one refuses, the others do not answer', [silent, expired, silent], { ok: false, problem: 'expired' }],
    ['nothing is there', [missing, missing], { ok: false, problem: 'not-deployed' }],
    ['all is denied', [denied, silent], { ok: false, problem: 'no-rights' }],
    ['denied here, and known there', [denied, undefined], { ok: true }],
  ] as const)('when %s', (_name, answers, expected) => {
    expect(verdict(...answers)).toMatchObject(expected);
  });

  test('for another account name it, where STS has said which', () => {
    const caller = { account: '123456789012', arn: 'arn:aws:iam::123456789012:user/ana' };
    expect(verdictOf([missing], asker, caller)).toMatchObject({
      said: expect.stringContaining('account 123456789012 has none'),
      ...caller,
    });
  });

  test('are at fault only if no region took them and one said so; silence alone never accuses them', () => {
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 9 }), (answers) => {
        const { ok } = verdict(...answers);
        const taken = answers.some((one) => one === undefined || one.kind === 'unusable');
        if (taken) expect(ok).toBe(true);
        if (answers.every((one) => one?.kind === 'silent')) expect(ok).toBeNull();
        if (ok === false)
          expect(answers.some((one) => one !== undefined && one.kind !== 'silent')).toBe(true);
      }),
    );
  });
});
