import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DigestUnavailableError } from '../../lib/aggregate/errors.ts';
import { takeApart } from '../../lib/consumer/index.ts';
import { frame, hex } from './fixtures/frame.ts';

const { hash } = crypto;
const refusal = Object.assign(new Error('error:0308010C:digital envelope routines::unsupported'), {
  code: 'ERR_OSSL_EVP_UNSUPPORTED',
});

// What Node.js says in FIPS mode. FIPS mode itself would not do here: a process that has used MD5 once goes on doing so.
beforeEach(() => {
  crypto.hash = () => {
    throw refusal;
  };
  syncBuiltinESMExports();
});
afterEach(() => {
  crypto.hash = hash;
  syncBuiltinESMExports();
});

const aggregate = frame(hex('0a016b 1a05 0800 1a0161'));

it('without MD5, an aggregate is neither read nor called damaged: the error says why', () => {
  expect(() => takeApart({ Data: aggregate })).toThrow(
    expect.objectContaining({ constructor: DigestUnavailableError, cause: refusal }),
  );
});

it('without MD5, records of their own are read as ever', () => {
  expect(takeApart({ Data: Buffer.from('{"order":1}') })).toMatchObject([
    { aggregated: false, enveloped: false },
  ]);
});
