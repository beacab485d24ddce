import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type StreamKey, viaKinesis } from '../config/stream-keys.ts';

/** `GenerateDataKey` to put into an encrypted stream, `Decrypt` to read it. */
export type KeyAction = 'kms:GenerateDataKey' | 'kms:Decrypt';

/** The right to use the keys of streams, of each region's through that region's Kinesis alone. */
export function keyStatements(
  keys: readonly StreamKey[],
  actions: readonly KeyAction[],
): readonly PolicyStatement[] {
  const byRegion = Map.groupBy(keys, ({ region }) => region);
  return [...byRegion].map(
    ([region, ofRegion]) =>
      new PolicyStatement({
        actions: [...actions],
        resources: ofRegion.map(({ arn }) => arn),
        conditions: { StringEquals: { 'kms:ViaService': viaKinesis(region) } },
      }),
  );
}
