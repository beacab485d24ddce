import { createHash, createHmac, hash } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Identity } from './credentials.ts';

/** Header values that never change, and the body that they go with. */
export interface Unsigned {
  readonly host: string;
  readonly path: string;
  readonly body: Buffer;
}

const TARGET = 'Kinesis_20131202.PutRecords';

/**
 * Signs PutRecords requests of one region with Signature Version 4. The body is hashed: Kinesis is not among the services
 * whose model allows an unsigned payload. The signer caches the key that it derives per day, region and identity.
 */
export class Signer {
  readonly #region: string;
  #identity: Identity | undefined;
  #signer: SignatureV4 | undefined;

  constructor(region: string) {
    this.#region = region;
  }

  /** All headers of the request. `nowMs`: the time as the service sees it. */
  async headers(
    { host, path, body }: Unsigned,
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
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': TARGET,
          // Given, the signer takes it as it is: one call of node:crypto instead of a copy and three.
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
        service: 'kinesis',
        region: this.#region,
        credentials: identity,
        sha256: Sha256,
      });
    }
    return this.#signer;
  }
}

/** node:crypto in the shape that the signer asks for. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash | typeof createHmac>;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', keyOf(secret));
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('The signer never starts a hash again.');
  }
}

function keyOf(secret: string | ArrayBuffer | ArrayBufferView): string | Buffer {
  if (typeof secret === 'string') return secret;
  if (secret instanceof ArrayBuffer) return Buffer.from(secret);
  return Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength);
}
