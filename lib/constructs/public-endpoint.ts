import { Fn } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { SpillwayFunction, type SpillwayFunctionProps } from './spillway-function.ts';

/**
 * Route 53 keeps more than one request a second open per check, from 8 regions; a flood above this is refused, which
 * the checkers read as HOLD.
 */
const CONCURRENCY = 20;
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
      'functionName' | 'entry' | 'description' | 'environment' | 'statements' | 'files'
    >,
  ) {
    super(scope, id, {
      ...props,
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: MEMORY_MIB,
      reservedConcurrency: CONCURRENCY,
    });
    const url = this.lambda.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    this.domainName = Fn.select(2, Fn.split('/', url.url));
  }
}
