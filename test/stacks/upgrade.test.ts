import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { input, templatesFor } from './synth.ts';

/**
 * Properties that CloudFormation cannot change in place ("Update requires: Replacement", CloudFormation Template Reference),
 * of everything that traffic or state depends on. A health check that is replaced begins unhealthy, as inverted ones do.
 */
const immutable: Readonly<Record<string, readonly string[]>> = {
  'AWS::Route53::HealthCheck': [
    'HealthCheckConfig.Type',
    'HealthCheckConfig.RequestInterval',
    'HealthCheckConfig.MeasureLatency',
  ],
  'AWS::Route53::RecordSet': ['HostedZoneId', 'HostedZoneName', 'Name', 'SetIdentifier', 'Type'],
  'AWS::DynamoDB::Table': ['TableName', 'KeySchema', 'AttributeDefinitions'],
  'AWS::Kinesis::Stream': ['Name'],
  'AWS::Lambda::Function': ['FunctionName', 'PackageType'],
  'AWS::Lambda::Url': ['TargetFunctionArn', 'Qualifier'],
  'AWS::StepFunctions::StateMachine': ['StateMachineName', 'StateMachineType'],
  'AWS::SNS::Topic': ['TopicName', 'FifoTopic'],
};

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

const resourcesOf = (template: Template | undefined): Readonly<Record<string, Resource>> =>
  template?.toJSON().Resources ?? {};
const at = (resource: Resource | undefined, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], resource?.Properties);

/** Resources of before that are gone, or would be replaced, as `stack/logicalId`. */
function lost(before: ConfigInput, after: ConfigInput): readonly string[] {
  const upgraded = templatesFor(after);
  return [...templatesFor(before)].flatMap(([stack, template]) =>
    Object.entries(resourcesOf(template)).flatMap(([id, resource]) => {
      const paths = immutable[resource.Type];
      if (paths === undefined) return [];
      const next = resourcesOf(upgraded.get(stack))[id];
      const same =
        next?.Type === resource.Type &&
        paths.every((path) => JSON.stringify(at(next, path)) === JSON.stringify(at(resource, path)));
      return same ? [] : [`${stack}/${id}`];
    }),
  );
}

const extra = { name: 'extra', stream: { name: 'extra', shards: 1 } } as const;
const changes: readonly [string, ConfigInput][] = [
  ['the policy', { ...input, policy: { recoveryMs: 1_200_000, mode: 'approve', cooldownMs: 1_000_000 } }],
  ['a TTL and the RTO', { ...input, delivery: { dnsTtlSeconds: 10, rtoMs: 90_000 } }],
  ['who is told', { ...input, notify: { email: 'oncall@example.com', webhook: 'https://example.com/hook' } }],
  ['a cell before the others', { ...input, cells: [extra, ...input.cells] }],
  ['the order of the cells', { ...input, cells: input.cells.toReversed() }],
  [
    'one witness more',
    {
      ...input,
      regions: {
        primary: 'us-east-1',
        standby: 'us-west-2',
        witnesses: ['us-east-2', 'eu-west-1', 'ca-central-1'],
      },
    },
  ],
];

describe('an upgrade of the app, evacuated or not,', () => {
  it.each(changes)('that changes %s replaces and removes nothing', (_what, after) => {
    expect(lost(input, after)).toEqual([]);
  });

  it.each(changes)(
    'that takes a change of %s back removes what it had added, and no more',
    (_what, after) => {
      const gone = lost(after, input);
      expect(gone.filter((id) => !/extra|ca-?central-?1/i.test(id))).toEqual([]);
    },
  );

  it('that removes a cell removes what is its own', () => {
    const gone = lost(input, { ...input, cells: input.cells.slice(0, 1) });
    expect(gone.length).toBeGreaterThan(0);
    expect(gone.filter((id) => !/clicks/i.test(id))).toEqual([]);
  });

  it('with cells in many stacks moves none of the others when one comes and one goes', () => {
    const names = Array.from({ length: 12 }, (_, n) => (n === 5 ? 'gone' : `c${n}`));
    const cells = names.map((name) => ({ name, stream: name }));
    const before = { ...input, cells, cellStacks: 4 };
    const lostThen = lost(before, { ...before, cells: [extra, ...cells.toSpliced(5, 1)] });
    expect(lostThen.length).toBeGreaterThan(0);
    expect(lostThen.filter((id) => !/gone/.test(id))).toEqual([]);
  });

  it('would be seen to replace health checks by another interval, which is not to be changed while it matters', () => {
    const gone = lost(input, { ...input, delivery: { healthCheckIntervalSeconds: 30, rtoMs: 120_000 } });
    expect(gone.every((id) => /Vote|Switch/.test(id))).toBe(true);
    expect(gone).toHaveLength(3 + 2);
  });
});
