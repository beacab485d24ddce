import type { Stack } from 'aws-cdk-lib';
import { CfnTable } from 'aws-cdk-lib/aws-dynamodb';
import { ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { CfnLogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnTopic } from 'aws-cdk-lib/aws-sns';
import { SpillwayFunction } from '../constructs/spillway-function.ts';
import { tableKeyActions } from '../permissions/requirements.ts';
import { KeyMissingError } from './errors.ts';

export interface DataProtectionProps {
  /**
   * How long every log is kept.
   *
   * @default RetentionDays.ONE_MONTH
   */
  readonly logRetention?: RetentionDays;
  /**
   * ARN of a KMS key for each region that keeps data, that is the standby and every witness: the key encrypts
   * the region's tables, topics and logs. The functions are given the right to use the keys. The key policies
   * must allow the services that use the keys on their own: `logs.REGION.amazonaws.com`, and
   * `cloudwatch.amazonaws.com`, whose alarms write to the topics.
   *
   * @default - keys that AWS owns
   */
  readonly encryptionKeyArns?: Readonly<Record<string, string>>;
}

interface Protected extends DataProtectionProps {
  readonly stack: Stack;
  readonly region: string;
}

/** Applies retention and keys to everything in a stack that keeps data. @throws KeyMissingError */
export function protectData({ stack, region, logRetention, encryptionKeyArns }: Protected): void {
  const key = encryptionKeyArns?.[region];
  for (const construct of stack.node.findAll()) {
    if (construct instanceof CfnLogGroup && logRetention !== undefined) {
      construct.retentionInDays = logRetention;
    }
    if (encryptionKeyArns === undefined) continue;
    // Functions use tables and topics; the state machine only calls functions.
    if (construct instanceof Role && construct.node.scope instanceof SpillwayFunction) {
      construct.addToPolicy(useOf(encryptionKeyArns));
    }
    // Of roles outside, which write to a table of this region alone.
    if (construct instanceof ManagedPolicy && key !== undefined) {
      construct.addStatements(useOf({ [region]: key }));
    }
    if (
      !(construct instanceof CfnLogGroup || construct instanceof CfnTable || construct instanceof CfnTopic)
    ) {
      continue;
    }
    if (key === undefined) {
      throw new KeyMissingError(
        `encryptionKeyArns has no key for ${region}, where ${construct.node.path} is: add one.`,
      );
    }
    if (construct instanceof CfnLogGroup) construct.kmsKeyId = key;
    else if (construct instanceof CfnTopic) construct.kmsMasterKeyId = key;
    else construct.sseSpecification = { sseEnabled: true, sseType: 'KMS', kmsMasterKeyId: key };
  }
}

/**
 * Allows a role to use all keys, because observers and the conductor read tables of other regions; but only
 * through these services.
 */
function useOf(keyArns: Readonly<Record<string, string>>): PolicyStatement {
  const regions = Object.keys(keyArns);
  return new PolicyStatement({
    actions: [...tableKeyActions],
    resources: Object.values(keyArns),
    conditions: {
      StringEquals: {
        'kms:ViaService': regions.flatMap((region) => [
          `dynamodb.${region}.amazonaws.com`,
          `sns.${region}.amazonaws.com`,
        ]),
      },
    },
  });
}
