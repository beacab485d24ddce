import { StackStatus } from '@aws-sdk/client-cloudformation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectOf } from '../../lib/deployments/effects.ts';
import { stackStatuses } from '../../lib/deployments/stack-status.ts';
import {
  diffOf,
  isEmpty,
  parseTemplate,
  type Template,
  withOutputs,
} from '../../lib/deployments/template.ts';

const record = (Properties: Readonly<Record<string, unknown>>): Template => ({
  Resources: { Record: { Type: 'AWS::Route53::RecordSet', Properties } },
});
const reference = {
  'Fn::GetStackOutput': { StackName: 'w', Region: 'us-east-2', OutputName: 'VoteHostName' },
};

const plain = { noNullPrototype: true } as const;
const anyProperties = fc.dictionary(fc.constantFrom('A', 'B', 'C'), fc.oneof(fc.string(), fc.nat()), plain);
const anyTemplate: fc.Arbitrary<Template> = fc.record(
  {
    Resources: fc.dictionary(
      fc.constantFrom('One', 'Two', 'Three'),
      fc.record(
        { Type: fc.constantFrom('AWS::SNS::Topic', 'AWS::Lambda::Function'), Properties: anyProperties },
        plain,
      ),
      plain,
    ),
  },
  plain,
);

describe('the difference of two templates', () => {
  it('is empty for the same template, and for no other', () => {
    fc.assert(
      fc.property(anyTemplate, anyTemplate, (one, other) => {
        expect(isEmpty(diffOf(one, structuredClone(one)))).toBe(true);
        expect(isEmpty(diffOf(one, other))).toBe(
          JSON.stringify(sorted(one)) === JSON.stringify(sorted(other)),
        );
      }),
    );
  });

  it('is taken back by the difference the other way', () => {
    const opposite = { added: 'removed', removed: 'added', changed: 'changed' } as const;
    fc.assert(
      fc.property(anyTemplate, anyTemplate, (one, other) => {
        const there = diffOf(one, other).resources.map(({ logicalId, kind }) => `${logicalId} ${kind}`);
        const back = diffOf(other, one).resources.map(
          ({ logicalId, kind }) => `${logicalId} ${opposite[kind]}`,
        );
        expect(there.toSorted()).toEqual(back.toSorted());
      }),
    );
  });

  it('names the properties that differ', () => {
    const diff = diffOf(record({ TTL: '5', Name: 'a.' }), record({ TTL: '10', Name: 'a.' }));
    expect(diff).toEqual({
      resources: [
        { logicalId: 'Record', type: 'AWS::Route53::RecordSet', kind: 'changed', properties: ['TTL'] },
      ],
      besides: false,
    });
  });

  it('is empty for a reference and the value that it has now', () => {
    const outputs = new Map([['w', { VoteHostName: 'abc.lambda-url.us-east-2.on.aws' }]]);
    const literal = record({ Host: 'abc.lambda-url.us-east-2.on.aws' });
    const referring = withOutputs(record({ Host: reference }), outputs);
    expect(isEmpty(diffOf(literal, referring))).toBe(true);
    const other = new Map([['w', { VoteHostName: 'new.lambda-url.us-east-2.on.aws' }]]);
    expect(isEmpty(diffOf(literal, withOutputs(record({ Host: reference }), other)))).toBe(false);
    expect(withOutputs(record({ Host: reference }), new Map())).toEqual(record({ Host: reference }));
  });

  it('takes nothing for a template that is none', () => {
    expect(parseTemplate('Resources: {}')).toBeUndefined();
    expect(parseTemplate({ Resources: { A: {} } })).toBeUndefined();
    expect(parseTemplate({ Outputs: {} })).toEqual({ Resources: {}, Outputs: {} });
  });
});

const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value)
          .toSorted(([a], [b]) => a.localeCompare(b))
          .map(([key, each]) => [key, sorted(each)]),
      )
    : value;

describe('the effect of a change on traffic', () => {
  const change = { logicalId: 'X', type: 'AWS::Route53::RecordSet', kind: 'changed' } as const;

  it('depends on the property', () => {
    expect(effectOf({ ...change, properties: ['TTL'] }).traffic).toBe('none');
    expect(effectOf({ ...change, properties: ['HealthCheckId'] }).traffic).toBe('waits');
    expect(effectOf({ ...change, properties: ['ResourceRecords'] }).traffic).toBe('answers');
    expect(effectOf({ ...change, properties: ['TTL', 'ResourceRecords'] }).traffic).toBe('answers');
  });

  it('is nothing for what traffic does not know', () => {
    expect(effectOf({ ...change, type: 'AWS::SSM::Parameter', properties: [] }).traffic).toBe('none');
  });
});

it('every status that CloudFormation knows means something', () => {
  expect(Object.keys(stackStatuses).toSorted()).toEqual(Object.values(StackStatus).toSorted());
});
