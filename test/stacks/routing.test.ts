import { App, Stack } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { CfnHealthCheck, CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import { describe, expect, it } from 'vitest';
import { refuseBrokenRouting } from '../../lib/stacks/routing-rules.ts';
import { appOf, input, templatesFor } from './synth.ts';

function template(name: string, config = input) {
  const found = templatesFor(config).get(name);
  if (found === undefined) throw new Error(`no stack ${name}`);
  return found;
}

describe('the health checks', () => {
  it('look for a marker, inverted, with SNI, every 10 s: one failure for a vote, three for a switch', () => {
    const [votes, switches] = [template('shop-routing'), template('shop-routing-cells-1')];
    const check = (path: string, marker: string, threshold: number) => ({
      HealthCheckConfig: {
        Type: 'HTTPS_STR_MATCH',
        ResourcePath: path,
        SearchString: marker,
        Inverted: true,
        EnableSNI: true,
        RequestInterval: 10,
        FailureThreshold: threshold,
        Port: 443,
        Regions: Match.absent(),
      },
    });
    votes.resourcePropertiesCountIs('AWS::Route53::HealthCheck', check('/vote', 'vote=EVACUATE', 1), 3);
    for (const cell of ['orders', 'clicks']) {
      const expected = check(`/cells/${cell}`, 'switch=STANDBY', 3);
      switches.resourcePropertiesCountIs('AWS::Route53::HealthCheck', expected, 1);
    }
  });

  it.each([
    [2, 4],
    [3, 3],
    [4, 2],
  ])('with K = %i of 5 votes the quorum needs %i healthy', (votesToEvacuate, healthThreshold) => {
    const witnesses = ['us-east-2', 'eu-west-1', 'eu-central-1', 'ca-central-1'];
    const regions = { primary: 'us-east-1', standby: 'us-west-2', witnesses };
    const routing = template('shop-routing', { ...input, regions, policy: { votesToEvacuate } });
    routing.hasResourceProperties('AWS::Route53::HealthCheck', {
      HealthCheckConfig: {
        Type: 'CALCULATED',
        HealthThreshold: healthThreshold,
      },
    });
  });

  it('ask host names that the stacks of the functions put out, each by a reference of its own', () => {
    const named = ['shop-routing', 'shop-routing-cells-1'].flatMap((stack) =>
      Object.values(template(stack).findResources('AWS::Route53::HealthCheck')).flatMap(
        ({ Properties: { HealthCheckConfig: check } }) => check.FullyQualifiedDomainName ?? [],
      ),
    );
    const voteOf = (stack: string, Region: string) => ({
      'Fn::GetStackOutput': { StackName: stack, Region, OutputName: 'VoteHostName' },
    });
    const switches = {
      'Fn::GetStackOutput': { StackName: 'shop-standby', Region: 'us-west-2', OutputName: 'SwitchHostName' },
    };
    expect(named).toEqual([
      voteOf('shop-standby', 'us-west-2'),
      voteOf('shop-witness-us-east-2', 'us-east-2'),
      voteOf('shop-witness-eu-west-1', 'eu-west-1'),
      switches,
      switches,
    ]);
    for (const { 'Fn::GetStackOutput': output } of named) {
      const urlOf = { 'Fn::GetAtt': [Match.stringLikeRegexp('FunctionUrl'), 'FunctionUrl'] };
      template(output.StackName).hasOutput(output.OutputName, {
        Value: { 'Fn::Select': [2, { 'Fn::Split': ['/', urlOf] }] },
      });
    }
  });

  it('come after the functions that they ask', () => {
    const { stacks } = appOf().synth();
    const dependenciesOf = (stack: string) =>
      stacks.find(({ stackName }) => stackName === stack)?.dependencies.map(({ id }) => id);
    expect(dependenciesOf('shop-routing')).toEqual(
      expect.arrayContaining(['shop-standby', 'shop-witness-us-east-2', 'shop-witness-eu-west-1']),
    );
    expect(dependenciesOf('shop-routing-cells-1')).toEqual(
      expect.arrayContaining(['shop-standby', 'shop-routing']),
    );
  });

  it('are shared by the cells of a group', () => {
    const cells = input.cells.map((cell) => ({ ...cell, group: 'all' }));
    const config = { ...input, cells };
    template('shop-routing', config).resourceCountIs('AWS::Route53::HealthCheck', 3 + 1);
    template('shop-routing-cells-1', config).resourceCountIs('AWS::Route53::HealthCheck', 1);
  });
});

describe('the records of a cell', () => {
  it('keep the primary only while quorum and switch agree, and the secondary has no check', () => {
    const cells = template('shop-routing-cells-1');
    const signal = { Type: 'TXT', Name: 'signal.orders.example.com.', HostedZoneId: 'Z0123456789ABCDEFGHIJ' };
    cells.hasResourceProperties('AWS::Route53::RecordSet', {
      ...signal,
      Failover: 'PRIMARY',
      HealthCheckId: Match.anyValue(),
      AliasTarget: { DNSName: 'primary.signal.orders.example.com.', EvaluateTargetHealth: true },
      TTL: Match.absent(),
    });
    cells.hasResourceProperties('AWS::Route53::RecordSet', {
      ...signal,
      Name: 'primary.signal.orders.example.com.',
      Weight: 1,
      SetIdentifier: Match.anyValue(),
      HealthCheckId: Match.anyValue(),
      TTL: '5',
      ResourceRecords: ['"v=1; region=us-east-1; stream=orders"'],
    });
    cells.hasResourceProperties('AWS::Route53::RecordSet', {
      ...signal,
      Failover: 'SECONDARY',
      HealthCheckId: Match.absent(),
      TTL: '5',
      ResourceRecords: ['"v=1; region=us-west-2; stream=orders"'],
    });
  });

  it('are the same tree for a service name', () => {
    const cells = template('shop-routing-cells-1');
    cells.resourcePropertiesCountIs('AWS::Route53::RecordSet', { Type: 'A' }, 3);
    cells.resourceCountIs('AWS::Route53::RecordSet', 9);
  });
});

describe('the record of the quorum', () => {
  const records = (config = input) =>
    template('shop-routing', config).findResources('AWS::Route53::RecordSet', {});
  const role = (name: string, of: 'primary' | 'standby', text: string, check?: object) => ({
    Type: 'AWS::Route53::RecordSet',
    Properties: {
      HostedZoneId: input.zone.id,
      Name: `${name}.`,
      Type: 'TXT',
      TTL: '5',
      SetIdentifier: of,
      Failover: of === 'primary' ? 'PRIMARY' : 'SECONDARY',
      ResourceRecords: [text],
      ...check,
    },
  });
  const quorum = { HealthCheckId: { 'Fn::GetAtt': ['Quorum', 'HealthCheckId'] } };
  const pair = (name: string) => [
    role(name, 'primary', '"v=1; region=us-east-1"', quorum),
    role(name, 'standby', '"v=1; region=us-west-2"'),
  ];

  it('has the name of the deployment, and is the only one', () => {
    expect(Object.values(records())).toEqual(pair('region.shop.example.com'));
  });

  it('of versions before 0.2 stays as it was deployed then, where the config keeps it', () => {
    const kept = records({ ...input, zone: { ...input.zone, keepRegionRecord: true } });
    const [primary, standby] = pair('region.example.com');
    expect(kept).toEqual({
      ...records(),
      RegionPrimary1CA511CA: primary,
      RegionSecondary73EE3735: standby,
    });
  });
});

describe('synthesis refuses', () => {
  const https = { type: 'HTTPS_STR_MATCH', requestInterval: 10, searchString: 'x' };
  const record = {
    hostedZoneId: 'Z1',
    name: 'a.example.com.',
    type: 'TXT',
    ttl: '5',
    resourceRecords: ['"x"'],
  };

  const attempts: readonly [string, RegExp, (stack: Stack) => void][] = [
    [
      'a nested calculated check',
      /does not nest them/,
      (stack) => {
        const inner = new CfnHealthCheck(stack, 'Inner', {
          healthCheckConfig: { type: 'CALCULATED', healthThreshold: 1, childHealthChecks: [] },
        });
        new CfnHealthCheck(stack, 'Outer', {
          healthCheckConfig: {
            type: 'CALCULATED',
            healthThreshold: 1,
            childHealthChecks: [inner.attrHealthCheckId],
          },
        });
      },
    ],
    [
      'a missing threshold',
      /has no HealthThreshold/,
      (stack) => {
        new CfnHealthCheck(stack, 'Check', {
          healthCheckConfig: { type: 'CALCULATED', childHealthChecks: [] },
        });
      },
    ],
    [
      'an interval of 20 s',
      /10 or 30 seconds/,
      (stack) => {
        new CfnHealthCheck(stack, 'Check', { healthCheckConfig: { ...https, requestInterval: 20 } });
      },
    ],
    [
      'a health check on SECONDARY',
      /A SECONDARY has a health check/,
      (stack) => {
        const options = { failover: 'SECONDARY', setIdentifier: 's', healthCheckId: 'abc' };
        new CfnRecordSet(stack, 'Record', { ...record, ...options });
      },
    ],
    [
      'a health check on a simple record',
      /no effect there/,
      (stack) => {
        new CfnRecordSet(stack, 'Record', { ...record, healthCheckId: 'abc' });
      },
    ],
  ];

  it.each(attempts)('%s', (_what, message, add) => {
    const app = new App();
    const stack = new Stack(app, 'Broken');
    add(stack);
    refuseBrokenRouting(stack);
    expect(() => app.synth()).toThrow(message);
  });
});
