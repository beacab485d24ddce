import { createHash, createHmac, hash } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { Pool } from 'undici';
import type { Batch } from './workload.ts';

interface RawOptions {
  readonly url: string;
  readonly region: string;
  readonly stream: string;
  readonly connections: number;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/**
 * A sender as anybody would write it by hand: undici, the signer and a string. It shares no code with the
 * producer.
 */
export function rawSender(options: RawOptions) {
  const { host } = new URL(options.url);
  const pool = new Pool(options.url, { connections: options.connections, allowH2: false });
  const signer = new SignatureV4({
    service: 'kinesis',
    region: options.region,
    credentials: options.credentials,
    sha256: Sha256,
  });
  return {
    send: async (batch: Batch): Promise<void> => {
      const body = bodyOf(options.stream, batch);
      const { headers } = await signer.sign({
        method: 'POST',
        protocol: 'https:',
        hostname: host,
        path: '/',
        headers: {
          host,
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': 'Kinesis_20131202.PutRecords',
          'x-amz-content-sha256': hash('sha256', body, 'hex'),
        },
      });
      const answer = await pool.request({ method: 'POST', path: '/', headers, body });
      if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
      const { FailedRecordCount, Records } = (await answer.body.json()) as {
        readonly FailedRecordCount: number;
        readonly Records: readonly { readonly SequenceNumber?: string }[];
      };
      if (FailedRecordCount !== 0 || !Records.every(({ SequenceNumber }) => SequenceNumber !== undefined)) {
        throw new Error('a record failed');
      }
    },
    close: () => pool.destroy(),
  };
}

function bodyOf(stream: string, batch: Batch): string {
  let body = `{"StreamName":${JSON.stringify(stream)},"Records":[`;
  let comma = '';
  for (const { partitionKey, data } of batch) {
    body += `${comma}{"PartitionKey":${JSON.stringify(partitionKey)},"Data":"${data.toString('base64')}"}`;
    comma = ',';
  }
  return `${body}]}`;
}

class Sha256 {
  readonly #hash: ReturnType<typeof createHash | typeof createHmac>;

  constructor(secret?: unknown) {
    this.#hash =
      secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer | string);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}
