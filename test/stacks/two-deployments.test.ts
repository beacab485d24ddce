import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { templatesFor } from './synth.ts';

const zone = { id: 'Z0123456789ABCDEFGHIJ', name: 'example.com' };
/** Everything that has a name of its own, in the same regions, for the same account. */
const deployment = (name: string, cells: ConfigInput['cells']): ConfigInput => ({
  name,
  zone,
  cells: [...cells, { name: `${name}-drill`, stream: `${name}-drill` }],
  drill: { cell: `${name}-drill` },
  beacons: true,
  notify: { email: 'oncall@example.com' },
});

/** Properties that name what CloudFormation creates. Two of one type and name are one too many. */
const nameProperties: Readonly<Record<string, string>> = {
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::Dashboard': 'DashboardName',
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::Events::Rule': 'Name',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::Kinesis::Stream': 'Name',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::SNS::Topic': 'TopicName',
  'AWS::StepFunctions::StateMachine': 'StateMachineName',
};
/** Types that have no name, or whose name is another resource's. */
const unnamed: readonly string[] = [
  'Custom::SpillwayDeploymentGuard',
  'AWS::IAM::Policy',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Url',
  'AWS::Logs::MetricFilter',
  'AWS::Route53::HealthCheck',
  'AWS::SNS::Subscription',
  'AWS::SNS::TopicPolicy',
];

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** What must be there once, whatever the region. */
function namesOf(config: ConfigInput): readonly string[] {
  return [...templatesFor(config)].flatMap(([stack, template]) => {
    const resources: readonly Resource[] = Object.values(template.toJSON().Resources ?? {});
    return [stack, ...resources.flatMap(nameOf)];
  });
}

function nameOf({ Type, Properties = {} }: Resource): readonly string[] {
  if (Type === 'AWS::Route53::RecordSet') {
    return [
      [Type, Properties.HostedZoneId, Properties.Name, Properties.Type, Properties.SetIdentifier].join(' '),
    ];
  }
  const known = nameProperties[Type];
  if (known === undefined) {
    expect(unnamed, `say in this test how a ${Type} is named`).toContain(Type);
    return [];
  }
  const name = Properties[known];
  return name === undefined ? [] : [`${Type} ${JSON.stringify(name)}`];
}

const common = (one: ConfigInput, other: ConfigInput): readonly string[] => {
  const names = new Set(namesOf(one));
  return namesOf(other).filter((name) => names.has(name));
};

const orders = deployment('shop', [{ name: 'orders', stream: 'orders' }]);

describe('two deployments in one zone and account', () => {
  it('share no physical name and no record', () => {
    expect(namesOf(orders).length).toBeGreaterThan(50);
    expect(common(orders, deployment('shop-2', [{ name: 'clicks', stream: 'clicks' }]))).toEqual([]);
  });

  it('would share the signal of a cell that both have, and a former record that both keep', () => {
    const both = deployment('bank', [{ name: 'orders', stream: 'orders-bank' }]);
    expect(common(orders, both).every((name) => /signal\.orders\.example\.com/.test(name))).toBe(true);
    expect(common(orders, both)).toHaveLength(3);
    const kept = (config: ConfigInput): ConfigInput => ({
      ...config,
      zone: { ...zone, keepRegionRecord: true },
    });
    const clicks = deployment('bank', [{ name: 'clicks', stream: 'clicks' }]);
    expect(common(kept(orders), kept(clicks))).toHaveLength(2);
    expect(common(kept(orders), clicks)).toEqual([]);
  });
});
