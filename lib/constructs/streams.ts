import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { canaryStreamName } from '../../lambda/core/names.ts';
import { STANDBY_CANARY_SHARDS } from '../../lambda/core/put-plan.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { Cell } from '../config/config.ts';

/**
 * Our own stream of one region, which observers write to and read back. In the primary on demand: the stream then begins
 * with four shards (`CANARY_SHARDS`), for less than three provisioned ones cost.
 */
export class CanaryStream extends Construct {
  constructor(scope: Construct, id: string, props: { readonly name: string; readonly role: Role }) {
    super(scope, id);
    new Stream(this, 'Stream', {
      streamName: canaryStreamName(props.name),
      ...(props.role === 'primary'
        ? { streamMode: StreamMode.ON_DEMAND }
        : { streamMode: StreamMode.PROVISIONED, shardCount: STANDBY_CANARY_SHARDS }),
      encryption: StreamEncryption.MANAGED,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}

/** The streams of one region, for cells whose stream Spillway creates. */
export class CellStreams extends Construct {
  constructor(scope: Construct, id: string, props: { readonly cells: readonly Cell[]; readonly role: Role }) {
    super(scope, id);
    const { cells, role } = props;
    for (const cell of cells) {
      const stream = cell.streams[role];
      if (!stream.create) continue;
      new Stream(this, `Cell-${cell.name}`, {
        streamName: stream.name,
        ...(stream.kmsKeyArn === undefined
          ? { encryption: StreamEncryption.MANAGED }
          : {
              encryption: StreamEncryption.KMS,
              encryptionKey: Key.fromKeyArn(this, `Key-${cell.name}`, stream.kmsKeyArn),
            }),
        // Records stranded in an impaired region must be kept until after the repair.
        retentionPeriod: Duration.days(7),
        // A stream of a deployment that failed is empty, and would be in the way of the next one.
        removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        ...(stream.shards === undefined
          ? { streamMode: StreamMode.ON_DEMAND }
          : { streamMode: StreamMode.PROVISIONED, shardCount: stream.shards }),
      });
    }
  }
}
