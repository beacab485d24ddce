import { Fn } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { SpillwayFunction, type SpillwayFunctionProps } from './spillway-function.ts';

/** A cold start must fit the 2 s that a checker waits; CPU comes with memory. */
const MEMORY_MIB = 256;
const TIMEOUT_SECONDS = 3;

/** A function on a public URL, for Route 53's checkers. */
export class PublicEndpoint extends SpillwayFunction {
  /** Host name of the URL. */
  readonly domainName: string;

  constructor(
    scope: Construct,
    id: string,
    props: Pick<
      SpillwayFunctionProps,
      'functionName' | 'handler' | 'description' | 'environment' | 'statements' | 'files'
    > & {
      /**
       * Concurrent executions to reserve. What is more than they let through is refused, whoever asks: a vote that is
       * refused reads HOLD. What a flood does to a switch, see `lib/endpoint/flood.ts`.
       */
      readonly concurrency: number;
    },
  ) {
    const { concurrency, ...rest } = props;
    super(scope, id, {
      ...rest,
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: MEMORY_MIB,
      reservedConcurrency: concurrency,
    });
    const url = this.lambda.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    this.domainName = Fn.select(2, Fn.split('/', url.url));
  }
}
