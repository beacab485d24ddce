import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { KnownIdentity } from './behaviour.ts';

export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

export interface Verification {
  readonly service: string;
  readonly identities: readonly KnownIdentity[];
  readonly nowMs: number;
}

const MAX_SKEW_MS = 5 * 60_000;
const authorizationPattern =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Signature Version 4 as the service checks it, written from the documentation ("Create a signed AWS API request", IAM
 * User Guide) and not with the signer's own library. Returns the exception that refuses the request, or undefined. For
 * requests without a query string.
 */
export function signatureProblem(request: SignedRequest, verification: Verification): string | undefined {
  const header = (name: string): string => String(request.headers[name] ?? '');
  const match = authorizationPattern.exec(header('authorization'));
  if (match === null) return 'IncompleteSignatureException';
  const [, accessKeyId, day = '', region = '', service, signedHeaders = '', signature = ''] = match;
  const token = header('x-amz-security-token');
  const identity = verification.identities.find(
    (known) => known.accessKeyId === accessKeyId && (known.sessionToken ?? '') === token,
  );
  if (identity === undefined) return 'UnrecognizedClientException';
  const date = header('x-amz-date');
  const names = signedHeaders.split(';');
  const must = ['host', 'x-amz-date', ...(token === '' ? [] : ['x-amz-security-token'])];
  if (service !== verification.service || !must.every((name) => names.includes(name))) {
    return 'InvalidSignatureException';
  }
  if (!date.startsWith(day) || Math.abs(timeOf(date) - verification.nowMs) > MAX_SKEW_MS) {
    return 'InvalidSignatureException';
  }
  const declared = header('x-amz-content-sha256');
  const bodyHash = sha256(request.body);
  if (declared !== '' && declared !== bodyHash) return 'InvalidSignatureException';
  const canonical = [
    request.method,
    request.path,
    '',
    ...names.map((name) => `${name}:${header(name).trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders,
    bodyHash,
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`;
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${identity.secretAccessKey}`,
  );
  const expected = createHmac('sha256', key).update(toSign).digest();
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return 'InvalidSignatureException';
  return identity.expired === true ? 'ExpiredTokenException' : undefined;
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** `20150830T123600Z` in milliseconds since the epoch. */
function timeOf(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
