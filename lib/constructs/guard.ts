import { CustomResource, Duration, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { Construct } from 'constructs';
import { DEPLOYMENT_PARTITION } from '../../lambda/core/deployment-items.ts';
import { ENDPOINT_PARTITION } from '../../lambda/core/endpoint-items.ts';
import { guardFunctionArn, guardFunctionName, stateTableName } from '../../lambda/core/names.ts';
import { SWITCH_PARTITION } from '../../lambda/core/switch.ts';
import { reserves } from '../config/concurrency.ts';
import { GUARD_RESOURCE, GUARD_SETTINGS, type Guarded, type GuardSettings } from '../settings/guard.ts';
import { SpillwayFunction } from './spillway-function.ts';
import { shownArn } from './stream-arns.ts';

/** Three minutes of waiting for new checks, and room for an API that is slow. */
const TIMEOUT_SECONDS = 600;
/** CloudFormation gives up a little later than the function, so that the function's own reason arrives. */
const SERVICE_TIMEOUT_SECONDS = TIMEOUT_SECONDS + 60;
const MEMORY_MIB = 256;

/** The function that CloudFormation asks before a stack of the routing changes. */
export class Guard extends Construct {
  readonly settings: GuardSettings;

  constructor(scope: Construct, id: string, settings: GuardSettings) {
    super(scope, id);
    this.settings = settings;
    const { name, standby } = settings;
    const { account } = Stack.of(this);
    const state = `arn:aws:dynamodb:${standby}:${account}:table/${stateTableName(name)}`;
    const checks = 'arn:aws:route53:::healthcheck/*';
    const stacks = `arn:aws:cloudformation:${standby}:${account}:stack/${name}-routing*/*`;
    const guard = new SpillwayFunction(this, 'Look', {
      functionName: guardFunctionName(name),
      handler: 'guard',
      description: 'Spillway: lets a deployment go on when nothing in it moves traffic.',
      environment: { [GUARD_SETTINGS]: Stack.of(this).toJsonString(settings) },
      statements: [
        leading(['dynamodb:Query'], {
          state,
          partitions: [DEPLOYMENT_PARTITION, ENDPOINT_PARTITION, SWITCH_PARTITION],
        }),
        leading(['dynamodb:PutItem', 'dynamodb:DeleteItem'], {
          state,
          partitions: [DEPLOYMENT_PARTITION, ENDPOINT_PARTITION],
        }),
        new PolicyStatement({ actions: ['route53:GetHealthCheckStatus'], resources: [checks] }),
        new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stacks] }),
      ],
      timeoutSeconds: TIMEOUT_SECONDS,
      memoryMiB: MEMORY_MIB,
      reservedConcurrency: reserves.guard,
    });
    Validations.of(guard.role).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::${checks}]`,
      reason: 'The ids of the checks are known only after the guard exists; the one action reads a status.',
    });
    Validations.of(guard.role).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::${shownArn(stacks, account)}]`,
      reason:
        'An ARN of a stack ends with an id that is known only after the stack exists; the action reads.',
    });
  }
}

const leading = (
  actions: string[],
  { state, partitions }: { readonly state: string; readonly partitions: string[] },
): PolicyStatement =>
  new PolicyStatement({
    actions,
    resources: [state],
    conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': partitions } },
  });

export interface GuardedProps {
  readonly name: string;
  /** Region of the guard, and of the stack. */
  readonly standby: string;
  readonly guarded: Guarded;
  /** What must not change before the guard allows it: the quorum, the records, or the functions. */
  readonly before: readonly IConstruct[];
  /** What the guard needs, where it is in the same stack. @default - nothing */
  readonly after?: readonly IConstruct[];
}

/** Has the guard look at a stack: after its new health checks exist, and before anything refers to them. */
export class GuardedStack extends Construct {
  constructor(scope: Construct, id: string, { name, standby, guarded, before, after = [] }: GuardedProps) {
    super(scope, id);
    const resource = new CustomResource(this, 'Look', {
      serviceToken: guardFunctionArn(name, standby, Stack.of(this).account),
      serviceTimeout: Duration.seconds(SERVICE_TIMEOUT_SECONDS),
      resourceType: GUARD_RESOURCE,
      properties: guarded,
    });
    for (const construct of after) resource.node.addDependency(construct);
    for (const construct of before) construct.node.addDependency(resource);
  }
}
