/**
 * Services that a fault may name, each with the name that signs its requests (SigV4), by which the proxy
 * recognises a call. Where the two names differ, the scenario uses the name that people know.
 */
export const signingNames = {
  kinesis: 'kinesis',
  cloudwatch: 'monitoring',
  logs: 'logs',
  dynamodb: 'dynamodb',
  lambda: 'lambda',
  sts: 'sts',
  iam: 'iam',
  signin: 'signin',
  sqs: 'sqs',
  sns: 'sns',
  events: 'events',
  states: 'states',
  firehose: 'firehose',
  cognito: 'cognito-idp',
  'cognito-identity': 'cognito-identity',
  apigateway: 'execute-api',
  s3: 's3',
  ec2: 'ec2',
  elasticloadbalancing: 'elasticloadbalancing',
  autoscaling: 'autoscaling',
  ecs: 'ecs',
  route53: 'route53',
  cloudformation: 'cloudformation',
  support: 'support',
} as const;

export type ServiceName = keyof typeof signingNames;
export const serviceNames = Object.keys(signingNames) as ServiceName[];

export const isServiceName = (name: string): name is ServiceName => Object.hasOwn(signingNames, name);

const bySigningName = new Map<string, string>(
  Object.entries(signingNames).map(([service, signing]) => [signing, service]),
);

/** The scenario's name of a service, from the name in a request's signature. */
export const serviceOfSigningName = (signing: string): string => bySigningName.get(signing) ?? signing;
