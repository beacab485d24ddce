import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Identity } from './identity.ts';

/** The parts of a request before it is signed. */
export interface Unsigned {
  readonly host: string;
  readonly path: string;
  readonly body: Buffer;
  readonly contentType: string;
  /** The operation, for services that read it from a header. */
  readonly target?: string;
}

/** A service of a region, as a signature names it. */
export interface SignedFor {
  readonly region: string;
  readonly service: 'kinesis' | 'dynamodb' | 'sts';
}

/**
 * Signs the requests to one service of one region with Signature Version 4. The body is hashed: Kinesis is not among the
 * services whose model allows an unsigned payload. The signer caches the key that it derives per day, region and identity.
 */
export class Signer {
  readonly #signedFor: SignedFor;
  #identity: Identity | undefined;
  #signer: SignatureV4 | undefined;

  constructor(signedFor: SignedFor) {
    this.#signedFor = signedFor;
  }

  /** All headers of the request. `nowMs`: the time as the service sees it. */
  async headers(
    { host, path, body, contentType, target }: Unsigned,
    { identity, nowMs }: { readonly identity: Identity; readonly nowMs: number },
  ): Promise<Readonly<Record<string, string>>> {
    const { headers } = await this.#signerOf(identity).sign(
      {
        method: 'POST',
        protocol: 'https:',
        hostname: host,
        path,
        query: {},
        headers: {
          host,
          'content-type': contentType,
          ...(target === undefined ? {} : { 'x-amz-target': target }),
          // The signer uses a given hash as it is: one call of node:crypto instead of a copy and three calls.
          'x-amz-content-sha256': hash('sha256', body, 'hex'),
        },
      },
      { signingDate: new Date(nowMs) },
    );
    return headers;
  }

  #signerOf(identity: Identity): SignatureV4 {
    if (this.#signer === undefined || this.#identity !== identity) {
      this.#identity = identity;
      this.#signer = new SignatureV4({
        ...this.#signedFor,
        credentials: identity,
        sha256: Sha256,
      });
    }
    return this.#signer;
  }
}

/**
 * node:crypto in the shape that the signer asks for. The signer updates each hash once, so one call of `hash`
 * is enough; and with a Buffer as key createHmac costs five times as much as with a KeyObject (13 us against
 * 2.7, Node 24).
 */
class Sha256 {
  readonly #secret: Secret | undefined;
  #data: Uint8Array | undefined;

  constructor(secret?: Secret) {
    this.#secret = secret;
  }

  update(data: Uint8Array): void {
    if (this.#data !== undefined) throw new Error('The signer updates a hash once.');
    this.#data = data;
  }

  async digest(): Promise<Uint8Array> {
    const data = this.#data ?? new Uint8Array(0);
    if (this.#secret === undefined) return hash('sha256', data, 'buffer');
    return createHmac('sha256', keyOf(this.#secret)).update(data).digest();
  }

  reset(): void {
    this.#data = undefined;
  }
}

type Secret = string | ArrayBuffer | ArrayBufferView;

/**
 * Keys by the identity of their bytes: the signer keeps the bytes of a derived key for as long as it uses the
 * key.
 */
const keys = new WeakMap<ArrayBufferView, KeyObject>();

function keyOf(secret: Secret): string | KeyObject {
  if (typeof secret === 'string') return secret;
  if (secret instanceof ArrayBuffer) return createSecretKey(Buffer.from(secret));
  let key = keys.get(secret);
  if (key === undefined) {
    key = createSecretKey(Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength));
    keys.set(secret, key);
  }
  return key;
}
