import { Duration, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type HandlerName, handlerAsset, noCode } from './handlers.ts';

export interface SpillwayFunctionProps {
  readonly functionName: string;
  /** The function, named by the folder of its handler. */
  readonly handler: HandlerName;
  readonly description: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly statements: readonly PolicyStatement[];
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  readonly reservedConcurrency: number;
  /**
   * Files put beside the code, by name, for settings that do not fit into environment variables, which hold 4
   * KB in all.
   *
   * @default - none
   */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * A function like all of Spillway's: arm64 on Node 24, the SDK bundled and pinned, a log group that expires,
 * and a role that may do what is listed and write its own log.
 */
export class SpillwayFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: SpillwayFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${props.functionName}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    for (const statement of props.statements) role.addToPolicy(statement);
    const { region, account } = Stack.of(this);
    const streamsOf = (accountId: string): string =>
      `arn:aws:logs:${region}:${accountId}:log-group:/aws/lambda/${props.functionName}:*`;
    role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [streamsOf(account)],
      }),
    );
    Validations.of(role).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::${streamsOf(Token.isUnresolved(account) ? '<AWS::AccountId>' : account)}]`,
      reason: 'Lambda names the log streams; the group is named, and is this function’s own.',
    });
    this.role = role;
    // A template depends on the code's hash alone; a synth that skips bundling does without the code.
    const code = Stack.of(this).bundlingRequired ? handlerAsset(props.handler, props.files) : noCode();
    this.lambda = new LambdaFunction(this, 'Function', {
      functionName: props.functionName,
      description: props.description,
      code: Code.fromAsset(code),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      environment: { ...props.environment },
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // A platform record for each of the checkers' requests would cost more than everything else together.
      systemLogLevelV2: SystemLogLevel.WARN,
      // Lines of metrics have no level and count as INFO: a higher one would drop them ("Log-level filtering", Lambda guide).
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMiB,
      reservedConcurrentExecutions: props.reservedConcurrency,
    });
  }
}
