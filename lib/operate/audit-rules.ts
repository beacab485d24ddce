import type { Call } from '../aws/call-log.ts';

/** How a rule judges the calls that it matches. */
export type Judgement = 'allowed' | 'violation';

export interface AuditRule {
  readonly rule: string;
  readonly judgement: Judgement;
  readonly reason: string;
  /** Where the fact is from. */
  readonly source: string;
  readonly matches: (call: Call, primary: string) => boolean;
}

const isolation = 'AWS Fault Isolation Boundaries (whitepaper), "Global services" and its appendix';
const staticStability = 'Static stability using Availability Zones (Amazon Builders’ Library)';

/** Names of one service differ between SDK packages, signing names and endpoints. */
const aliases: Readonly<Record<string, string>> = {
  cognitoidentityprovider: 'cognito',
  sfn: 'states',
  stepfunctions: 'states',
  monitoring: 'cloudwatch',
  logs: 'cloudwatchlogs',
  'route-53': 'route53',
  wafv2: 'waf',
  'elastic-load-balancing-v2': 'elasticloadbalancing',
  elasticloadbalancingv2: 'elasticloadbalancing',
  apigatewayv2: 'apigateway',
  'route53-recovery-control-config': 'arc',
  route53recoverycontrolconfig: 'arc',
  'global-accelerator': 'globalaccelerator',
};

export function serviceOf({ service }: Pick<Call, 'service'>): string {
  const name = service.toLowerCase().replaceAll(' ', '-');
  return aliases[name] ?? name;
}

const serviceIs =
  (...names: readonly string[]) =>
  (call: Call): boolean =>
    names.includes(serviceOf(call));
const operationIs =
  (pattern: RegExp) =>
  (call: Call): boolean =>
    pattern.test(call.operation);

/** The calls that observers make to the primary; no observer waits for one beyond its round. */
const probeOperations =
  /^(PutRecords?|GetRecords|GetShardIterator|DescribeStreamSummary|PutMetricData|GetMetricData|GetCallerIdentity|ListUserPools|GetAccountSettings|ListQueues)$/;
/** Reads in healthy times: how streams are scaled, and their load. */
const surveyOperations: Readonly<Record<string, RegExp>> = {
  kinesis: /^DescribeStreamSummary$/,
  cloudwatch: /^GetMetricData$/,
};
const writeOperations = /^PutRecords?$/;
const readOperations = /^(DescribeStream|DescribeStreamSummary|ListShards|GetShardIterator|GetRecords)$/;
const bucketConfiguration =
  /^(CreateBucket|DeleteBucket.*|PutBucket.*|PutPublicAccessBlock|PutObjectLockConfiguration)$/;

/**
 * The rules in order; the first match decides. A call without a match goes to the data plane of a region that
 * is not the primary.
 */
export const auditRules: readonly AuditRule[] = [
  {
    rule: 'probe',
    judgement: 'allowed',
    reason:
      'an observer probes the primary: a failed probe is the result wanted, and nothing waits for a probe beyond a round',
    source: 'design: "How a failover happens", step 1',
    matches: (call, primary) =>
      call.region === primary && isWho(call, 'observer') && operationIs(probeOperations)(call),
  },
  {
    rule: 'survey',
    judgement: 'allowed',
    reason:
      'once an hour the survey stores how the primary is scaled; a value that it cannot read stays as it was, and nothing waits for the survey',
    source: 'design: "Decision guards", capacity',
    matches: (call, primary) =>
      call.region === primary &&
      isWho(call, 'survey') &&
      (surveyOperations[serviceOf(call)]?.test(call.operation) ?? false),
  },
  {
    rule: 'deployment-guard',
    judgement: 'allowed',
    reason:
      'CloudFormation asks the guard during a deployment, which is for quiet times; the guard reads the status of new health checks, and no failover or failback asks the guard',
    source: 'design: "A deployment moves nothing"',
    matches: (call) =>
      isWho(call, 'guard') && serviceIs('route53')(call) && call.operation === 'GetHealthCheckStatus',
  },
  {
    rule: 'application-data',
    judgement: 'allowed',
    reason: 'a producer writes where the signal says: in the primary until the signal moves',
    source: 'design: "How a failover happens", step 7',
    matches: (call) =>
      isWho(call, 'producer') && serviceIs('kinesis')(call) && operationIs(writeOperations)(call),
  },
  {
    rule: 'application-reads',
    judgement: 'allowed',
    reason:
      'a consumer reads the stream of its own region, always; what it does not reach is stranded until the region recovers, and no failover waits for it',
    source: 'design: "Consumers"',
    matches: (call) =>
      isWho(call, 'consumer') && serviceIs('kinesis')(call) && operationIs(readOperations)(call),
  },
  {
    rule: 'record-distribution',
    judgement: 'allowed',
    reason:
      'a producer asks beside its records whether a stream keeps keys together, and, with aggregates, which keys a shard has; no record waits for the answer',
    source: 'design: "Producers, for everybody"',
    matches: (call) =>
      isWho(call, 'producer') &&
      serviceIs('kinesis')(call) &&
      operationIs(/^(DescribeStreamSummary|ListShards)$/)(call),
  },
  {
    rule: 'route53-control-plane',
    judgement: 'violation',
    reason:
      "Route 53's API, health checks included, is a control plane in us-east-1; it was gone for 7 h on 2021-12-07",
    source: `${isolation}; Summary of the AWS Service Event in us-east-1, December 2021`,
    matches: serviceIs('route53'),
  },
  {
    rule: 'global-control-plane',
    judgement: 'violation',
    reason:
      'the control planes of IAM, Organizations, CloudFront, and of WAF and ACM for CloudFront are in us-east-1',
    source: isolation,
    matches: (call) =>
      serviceIs('iam', 'organizations', 'cloudfront', 'account')(call) ||
      (serviceIs('waf', 'acm')(call) && call.region === 'us-east-1'),
  },
  {
    rule: 'global-sts',
    judgement: 'violation',
    reason: "the global endpoint of STS is in us-east-1: use the region's own",
    source: 'AWS STS Regional endpoints (AWS SDKs and Tools Reference Guide)',
    matches: (call) =>
      serviceIs('sts')(call) && (call.endpoint === 'sts.amazonaws.com' || call.region === 'aws-global'),
  },
  {
    rule: 's3-bucket-configuration',
    judgement: 'violation',
    reason: 'configuring a bucket, in any region, depends on us-east-1',
    source: isolation,
    matches: (call) => serviceIs('s3')(call) && operationIs(bucketConfiguration)(call),
  },
  {
    rule: 'creates-dns-name',
    judgement: 'violation',
    reason: "creating a Lambda URL, an API or a load balancer needs Route 53's control plane",
    source: isolation,
    matches: (call) =>
      (serviceIs('lambda')(call) && operationIs(/^CreateFunctionUrlConfig$/)(call)) ||
      (serviceIs('apigateway')(call) && operationIs(/^Create(RestApi|Api|DomainName)$/)(call)) ||
      (serviceIs('elasticloadbalancing')(call) && operationIs(/^CreateLoadBalancer$/)(call)),
  },
  {
    rule: 'us-west-2-control-plane',
    judgement: 'violation',
    reason: 'the control planes of ARC and Global Accelerator are in us-west-2',
    source: isolation,
    matches: serviceIs('arc', 'globalaccelerator'),
  },
  {
    rule: 'deployment',
    judgement: 'violation',
    reason:
      'nothing is deployed or scaled during a failover: everything that a failover needs exists beforehand',
    source: staticStability,
    matches: (call) =>
      serviceIs('cloudformation')(call) ||
      (serviceIs('kinesis')(call) &&
        operationIs(
          /^(CreateStream|DeleteStream|UpdateShardCount|UpdateStreamMode|UpdateStreamWarmThroughput|SplitShard|MergeShards)$/,
        )(call)),
  },
  {
    rule: 'primary-region',
    judgement: 'violation',
    reason: 'a failover must not need the region that fails',
    source: 'design: "What is guaranteed"',
    matches: (call, primary) => call.region === primary,
  },
];

/**
 * Whether a call is a request to a function URL, of Route 53's checkers or of the monitor, which asks as they do:
 * a drill's fault proxy sees it, but it is no call of an AWS API.
 */
export const isCheckerRequest = (call: Pick<Call, 'service' | 'operation'>): boolean =>
  serviceOf(call) === 'lambda' && call.operation === 'InvokeFunctionUrl';

/** `observer us-west-2` is an observer. */
export const isWho = ({ who }: Pick<Call, 'who'>, name: string): boolean =>
  who === name || who.startsWith(`${name} `) || who.startsWith(`${name}-`);

/**
 * Verbs for healthy times: they may call what an emergency must not need. Every other caller is on the
 * failover path.
 */
const offPath = [
  'cli doctor',
  'cli cost',
  'cli init',
  'cli audit',
  'cli history',
  'cli drill',
  'cli prove',
  'deploy',
  'drill',
];
export const isOnPath = (call: Pick<Call, 'who'>): boolean => !offPath.some((name) => isWho(call, name));
