import { type IResolvable, Reference, type Stack, Tokenization } from 'aws-cdk-lib';
import { CfnHealthCheck, CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import type { IConstruct } from 'constructs';

// Mistakes that Route 53 refuses only at deployment, or accepts and treats wrongly. Neither the CDK nor
// CloudFormation notices them.

type HealthCheckConfig = CfnHealthCheck.HealthCheckConfigProperty;

interface Rule<T> {
  readonly broken: (resource: T) => boolean;
  readonly message: string;
}

const healthCheckRules: readonly Rule<CfnHealthCheck>[] = [
  {
    broken: (check) => configOf(check).type === 'CALCULATED' && configOf(check).healthThreshold === undefined,
    message:
      'A calculated check has no HealthThreshold: Route 53 would demand that all children are healthy.',
  },
  {
    broken: (check) => childrenOf(check).some((child) => configOf(child).type === 'CALCULATED'),
    message: 'A calculated check has a calculated child: Route 53 does not nest them.',
  },
  {
    broken: (check) => {
      const { type, requestInterval } = configOf(check);
      return type !== 'CALCULATED' && requestInterval !== 10 && requestInterval !== 30;
    },
    message: 'The RequestInterval of a health check is 10 or 30 seconds.',
  },
];

const recordRules: readonly Rule<CfnRecordSet>[] = [
  {
    broken: (record) => record.failover === 'SECONDARY' && record.healthCheckId !== undefined,
    message:
      'A SECONDARY has a health check: when it fails, Route 53 answers with the primary whatever its health.',
  },
  {
    broken: (record) =>
      record.healthCheckId !== undefined &&
      record.failover === undefined &&
      record.weight === undefined &&
      record.setIdentifier === undefined,
    message: 'A simple record has a health check, which has no effect there.',
  },
];

/** The rules that this construct breaks; none for anything that is not Route 53's. */
export function routingProblems(construct: IConstruct): readonly string[] {
  if (construct instanceof CfnHealthCheck) return brokenBy(construct, healthCheckRules);
  if (construct instanceof CfnRecordSet) return brokenBy(construct, recordRules);
  return [];
}

/** Refuses the synthesis of a stack that breaks a rule. */
export function refuseBrokenRouting(stack: Stack): void {
  stack.node.addValidation({
    validate: () =>
      stack.node.findAll().flatMap((construct) => {
        return routingProblems(construct).map((problem) => `${construct.node.path}: ${problem}`);
      }),
  });
}

function brokenBy<T>(resource: T, rules: readonly Rule<T>[]): readonly string[] {
  return rules.flatMap((rule) => (rule.broken(resource) ? [rule.message] : []));
}

function configOf(check: CfnHealthCheck): HealthCheckConfig {
  return check.healthCheckConfig as Exclude<typeof check.healthCheckConfig, IResolvable>;
}

function childrenOf(check: CfnHealthCheck): readonly CfnHealthCheck[] {
  return (configOf(check).childHealthChecks ?? []).flatMap((id) =>
    Tokenization.reverseString(id).tokens.flatMap((token) =>
      Reference.isReference(token) && token.target instanceof CfnHealthCheck ? [token.target] : [],
    ),
  );
}
