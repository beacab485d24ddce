import type { StreamSpec } from '../../config/config.ts';
import { type Finding, ill } from './check.ts';

const CHECK = 'streams';
/** What Kinesis encrypts with for everybody. */
const OF_KINESIS = /(^|:)alias\/aws\/kinesis$/;

export interface KeyOfStream {
  readonly cell: string;
  readonly region: string;
  /** As the config has it. */
  readonly stream: Pick<StreamSpec, 'create' | 'kmsKeyArn'>;
  /** As Kinesis names the key: an ARN, an id or an alias. Absent: none, or that of Kinesis. */
  readonly keyId: string | undefined;
}

/** The key that encrypts a stream, but for the one of Kinesis itself, which needs no right. */
export const ownKeyId = (encryption: string | undefined, keyId: string | undefined): string | undefined =>
  encryption === 'KMS' && keyId !== undefined && !OF_KINESIS.test(keyId) ? keyId : undefined;

/** Pure. A key that the config does not name is one that no role of Spillway may use. */
export function keyFindings({ cell, region, stream, keyId }: KeyOfStream): readonly Finding[] {
  const { create, kmsKeyArn } = stream;
  const its = `${cell}: its stream in ${region}`;
  if (keyId === undefined) {
    if (kmsKeyArn === undefined) return [];
    const fix = create
      ? 'Deploy: npx cdk deploy --all'
      : `aws kinesis start-stream-encryption --region ${region} --encryption-type KMS --key-id ${kmsKeyArn} --stream-name STREAM; or leave kmsKeyArn out`;
    return [ill(CHECK, `${its} is not encrypted with the kmsKeyArn of the config`, fix)];
  }
  if (kmsKeyArn === undefined) {
    return [
      ill(
        CHECK,
        `${its} is encrypted with ${keyId}, and the config does not say so: no role of Spillway may use that key, so what arrives cannot be read, and probes and drills fail`,
        `Write kmsKeyArn for the stream (${howTo(keyId, region)}), deploy, and see what the key's policy must allow: docs/permissions.md, Keys.`,
      ),
    ];
  }
  if (keyId.includes('alias/') || idOf(keyId) === idOf(kmsKeyArn)) return [];
  return [
    ill(
      CHECK,
      `${its} is encrypted with ${keyId}, and the config names another key`,
      'Correct kmsKeyArn, and deploy: npx cdk deploy --all',
    ),
  ];
}

const idOf = (key: string): string => key.split('/').at(-1) ?? key;
const howTo = (keyId: string, region: string): string =>
  keyId.startsWith('arn:') && keyId.includes(':key/')
    ? 'that ARN'
    : `aws kms describe-key --region ${region} --key-id ${keyId} has the ARN`;
