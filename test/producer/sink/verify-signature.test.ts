import { describe, expect, it } from 'vitest';
import { type SignedRequest, signatureProblem } from './verify-signature.ts';

/** AWS Signature Version 4 test suite: `get-vanilla` and `post-vanilla`. */
const identities = [
  { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
];
const verification = { service: 'service', identities, nowMs: Date.parse('2015-08-30T12:36:00Z') };

const signed = (method: string, signature: string): SignedRequest => ({
  method,
  path: '/',
  headers: {
    host: 'example.amazonaws.com',
    'x-amz-date': '20150830T123600Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
      `SignedHeaders=host;x-amz-date, Signature=${signature}`,
  },
  body: Buffer.alloc(0),
});
const get = signed('GET', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31');

describe('the verifier of signatures', () => {
  it.each([
    ['get-vanilla', get],
    ['post-vanilla', signed('POST', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b')],
  ])('takes the signature that AWS publishes for %s', (_name, request) => {
    expect(signatureProblem(request, verification)).toBeUndefined();
  });

  it.each([
    ['another body', { ...get, body: Buffer.from('x') }, verification],
    ['another path', { ...get, path: '/x' }, verification],
    ['another host', { ...get, headers: { ...get.headers, host: 'evil.example.com' } }, verification],
    ['another service', get, { ...verification, service: 'kinesis' }],
    ['six minutes later', get, { ...verification, nowMs: verification.nowMs + 360_000 }],
  ])('refuses it for %s', (_what, request, against) => {
    expect(signatureProblem(request, against)).toBe('InvalidSignatureException');
  });

  it('refuses whom it does not know, and who has expired', () => {
    expect(signatureProblem(get, { ...verification, identities: [] })).toBe('UnrecognizedClientException');
    const expired = identities.map((identity) => ({ ...identity, expired: true }));
    expect(signatureProblem(get, { ...verification, identities: expired })).toBe('ExpiredTokenException');
  });
});
