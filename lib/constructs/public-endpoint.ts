import { CfnOutput, Fn, Lazy, Stack } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { SpillwayFunction, type SpillwayFunctionProps } from './spillway-function.ts';

/** A cold start must fit the 2 s that a checker waits; CPU comes with memory. */
const MEMORY_MIB = 256;
const TIMEOUT_SECONDS = 3;

/** What a health check asks: an endpoint, or what is known of one. */
export interface AskedHost {
  readonly domainName: string;
  /** The name was given in place of a reference, because the endpoint has another one than its check asks. */
  readonly given?: true;
}

/** A function on a public URL, for Route 53's checkers. */
export class PublicEndpoint extends SpillwayFunction {
  /**
   * Host name of the URL. In another stack it is read from an output of this one, `<id>HostName`: CloudFormation
   * documents no `Fn::Split` over the output of another stack, and cfn-lint refuses it (E1017).
   */
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
    const hostName = Fn.select(2, Fn.split('/', url.url));
    const outputName = `${id}HostName`;
    new CfnOutput(this, 'HostName', {
      key: outputName,
      value: hostName,
      description: 'Host name of the function URL, for health checks',
    });
    const here = Stack.of(this);
    // Resolved for each stack that uses it, before the order of the stacks is settled.
    this.domainName = Lazy.uncachedString({
      produce: ({ scope }) => {
        const there = Stack.of(scope);
        if (there === here) return hostName;
        there.addStackDependency(here, `the host name of ${this.node.path}`);
        return Fn.getStackOutput(here.stackName, outputName, here.region);
      },
    });
  }
}
