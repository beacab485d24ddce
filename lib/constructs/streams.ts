import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import { Construct } from 'constructs';
import { canaryStreamName } from '../../lambda/core/names.ts';
import type { Config } from '../config/config.ts';

/** The streams of one region: our canary, and those cells that asked for one. */
export class Streams extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: { readonly config: Config; readonly role: 'primary' | 'standby' },
  ) {
    super(scope, id);
    const { config, role } = props;
    new Stream(this, 'Canary', {
      streamName: canaryStreamName(config.name),
      streamMode: StreamMode.PROVISIONED,
      shardCount: 1,
      encryption: StreamEncryption.MANAGED,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    for (const cell of config.cells) {
      const stream = cell.streams[role];
      if (!stream.create) continue;
      new Stream(this, `Cell-${cell.name}`, {
        streamName: stream.name,
        encryption: StreamEncryption.MANAGED,
        // Records stranded in an impaired region must outlive the repair.
        retentionPeriod: Duration.days(7),
        removalPolicy: RemovalPolicy.RETAIN,
        ...(stream.shards === undefined
          ? { streamMode: StreamMode.ON_DEMAND }
          : { streamMode: StreamMode.PROVISIONED, shardCount: stream.shards }),
      });
    }
  }
}
