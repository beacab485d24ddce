import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { input, templatesFor } from './synth.ts';

const arn = (region: string, name = 'orders') => `arn:aws:kinesis:${region}:111122223333:stream/${name}`;
const orders = {
  name: 'orders',
  streams: { primary: { arn: arn('us-east-1') }, standby: { arn: arn('us-west-2', 'orders-west') } },
};
const config: ConfigInput = { ...input, cells: [orders, { name: 'clicks', stream: 'clicks' }] };
const only: ConfigInput = { ...input, cells: [orders] };

function stack(name: string, from = config): Template {
  const found = templatesFor(from).get(name);
  if (found === undefined) throw new Error(`no stack ${name}`);
  return found;
}

/** What the policies of a role may do to streams. */
const streamRights = (template: Template) =>
  Object.entries(template.findResources('AWS::IAM::Policy')).flatMap(([id, { Properties }]) =>
    (Properties.PolicyDocument.Statement as { Action: string | string[]; Resource: unknown }[])
      .filter(({ Action }) => [Action].flat().some((action) => action.startsWith('kinesis:')))
      .map(({ Action, Resource }) => ({ id, action: [Action].flat(), resource: JSON.stringify(Resource) })),
  );

describe('streams of another account', () => {
  it('are named with their account by the signal of each region', () => {
    const routing = stack('shop-routing-cells-1');
    for (const [region, name] of [
      ['us-east-1', 'orders'],
      ['us-west-2', 'orders-west'],
    ]) {
      routing.hasResourceProperties('AWS::Route53::RecordSet', {
        ResourceRecords: [`"v=1; region=${region}; stream=${name}; account=111122223333"`],
      });
    }
    routing.hasResourceProperties('AWS::Route53::RecordSet', {
      ResourceRecords: ['"v=1; region=us-east-1; stream=clicks"'],
    });
  });

  it('are created nowhere', () => {
    for (const [, template] of templatesFor(config)) {
      template.resourcePropertiesCountIs(
        'AWS::Kinesis::Stream',
        { Name: Match.stringLikeRegexp('orders') },
        0,
      );
    }
  });

  it('are read by the conductor, in the standby, and by nothing else', () => {
    const naming = [...templatesFor(config).values()]
      .flatMap(streamRights)
      .filter(({ resource }) => resource.includes('111122223333') || resource.includes('orders'));
    expect(naming).toHaveLength(1);
    expect(naming[0]).toMatchObject({
      id: expect.stringMatching(/^Conductor/),
      action: ['kinesis:GetRecords', 'kinesis:GetShardIterator', 'kinesis:ListShards'],
    });
    expect(naming[0]?.resource).toContain(arn('us-west-2', 'orders-west'));
    expect(naming[0]?.resource).not.toContain('us-east-1:111122223333');
  });

  it('may be all that there are', () => {
    const rights = streamRights(stack('shop-standby', only));
    expect(rights.filter(({ action }) => action.includes('kinesis:DescribeStreamSummary'))).toEqual(
      rights.filter(({ resource }) => resource.includes('shop-canary') && resource.includes('us-')),
    );
  });
});
