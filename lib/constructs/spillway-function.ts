import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { type ICommandHooks, NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

export interface SpillwayFunctionProps {
  readonly functionName: string;
  /** Path of the handler's module from the project's root. */
  readonly entry: string;
  readonly description: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly statements: readonly PolicyStatement[];
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
  readonly reservedConcurrency: number;
  /**
   * Files put beside the code, by name: for what environment variables, 4 KB in all, cannot hold.
   *
   * @default - none
   */
  readonly files?: Readonly<Record<string, string>>;
}

const projectRoot = fileURLToPath(new URL('../../', import.meta.url));

/**
 * A function as all of ours are: arm64 on Node 24, the SDK bundled and pinned, a log group that expires, and a role
 * that may do what is listed and write its own log.
 */
export class SpillwayFunction extends Construct {
  readonly lambda: NodejsFunction;
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
    this.lambda = new NodejsFunction(this, 'Function', {
      functionName: props.functionName,
      description: props.description,
      entry: `${projectRoot}${props.entry}`,
      projectRoot,
      depsLockFilePath: `${projectRoot}package-lock.json`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      bundling: {
        minify: true,
        externalModules: [],
        target: 'node24',
        ...(props.files === undefined ? {} : { commandHooks: copying(props.files) }),
      },
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

/** Written once, at synth, and copied into the bundle, whose hash they so become part of. */
function copying(files: Readonly<Record<string, string>>): ICommandHooks {
  const directory = mkdtempSync(join(tmpdir(), 'spillway-files-'));
  // The bundler reads the directory during synth, which is over when this process ends.
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return {
    beforeBundling: () => [],
    beforeInstall: () => [],
    afterBundling: (_from, to) =>
      Object.keys(files).map((name) => `cp "${join(directory, name)}" "${to}/${name}"`),
  };
}
