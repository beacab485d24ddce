import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Stream } from 'aws-cdk-lib/aws-kinesis';
import { Code, Function as LambdaFunction, Runtime, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { KinesisEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { LEDGER } from './settings.ts';

export interface ConsumerStackProps extends StackProps {
  readonly functionName: string;
  /** Names of the streams of this region. */
  readonly streams: readonly string[];
  /** The file to which the function adds what it has processed. */
  readonly ledger: string;
  /** Directory of the function's code. */
  readonly code: string;
}

const RETRIES = 10;
const BATCH_SIZE = 500;
const TIMEOUT_SECONDS = 30;

/**
 * The consumer of a drill in one region, as a user would deploy it: a function that reads the streams of the cells, in
 * either region always, from the oldest record. Deliberately none of Spillway's own stacks.
 */
export class ConsumerStack extends Stack {
  constructor(scope: Construct, id: string, props: ConsumerStackProps) {
    super(scope, id, props);
    const reader = new LambdaFunction(this, 'Function', {
      functionName: props.functionName,
      runtime: Runtime.NODEJS_24_X,
      code: Code.fromAsset(props.code),
      handler: 'index.handler',
      environment: { [LEDGER]: props.ledger },
      timeout: Duration.seconds(TIMEOUT_SECONDS),
    });
    const failed = new SqsDlq(new Queue(this, 'Failed', { queueName: `${props.functionName}-failed` }));
    for (const [index, name] of props.streams.entries()) {
      const arn = `arn:aws:kinesis:${this.region}:${this.account}:stream/${name}`;
      reader.addEventSource(
        new KinesisEventSource(Stream.fromStreamArn(this, `Stream${index}`, arn), {
          startingPosition: StartingPosition.TRIM_HORIZON,
          batchSize: BATCH_SIZE,
          bisectBatchOnError: true,
          retryAttempts: RETRIES,
          reportBatchItemFailures: true,
          onFailure: failed,
        }),
      );
    }
  }
}
