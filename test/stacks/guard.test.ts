import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { GUARD_RESOURCE, guardedSchema } from '../../lib/settings/guard.ts';
import { input, templatesFor } from './synth.ts';

interface Resource {
  readonly Type: string;
  readonly DependsOn?: readonly string[];
  readonly Properties: Readonly<Record<string, unknown>>;
}

const resourcesOf = (template: Template): Readonly<Record<string, Resource>> => template.toJSON().Resources;
const guardOf = (template: Template) => {
  const found = Object.entries(resourcesOf(template)).find(([, { Type }]) => Type === GUARD_RESOURCE);
  if (found === undefined) throw new Error('no guard');
  return { id: found[0], properties: found[1].Properties };
};
/** Replaces every intrinsic function by its text, as CloudFormation does by its value. */
const resolved = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (entries.some(([key]) => key === 'Ref' || key.startsWith('Fn::'))) return JSON.stringify(value);
  return Object.fromEntries(entries.map(([key, each]) => [key, resolved(each)]));
};

const many = Array.from({ length: 12 }, (_, n) => ({ name: `c${n}`, stream: `c${n}`, group: `g${n % 5}` }));

describe.each([
  ['one stack of cells', input],
  ['cells in many stacks', { ...input, cells: many, cellStacks: 4 }],
])('the deployment guard, with %s,', (_what, config) => {
  const routing = () => [...templatesFor(config)].filter(([name]) => /-routing(?!-switches)/.test(name));

  it('comes before everything that traffic follows', () => {
    expect(routing().length).toBeGreaterThan(1);
    for (const [name, template] of routing()) {
      const { id } = guardOf(template);
      const followed = Object.entries(resourcesOf(template)).filter(
        ([, { Type, Properties }]) =>
          (Type === 'AWS::Route53::RecordSet' && name !== 'shop-routing') ||
          (Properties.HealthCheckConfig as { readonly Type?: string } | undefined)?.Type === 'CALCULATED',
      );
      expect(followed.length).toBeGreaterThan(0);
      for (const [followedId, { DependsOn = [] }] of followed) {
        expect([followedId, DependsOn]).toEqual([followedId, expect.arrayContaining([id])]);
      }
    }
  });

  it('is told of every check that the stack refers to, in a form that it understands', () => {
    for (const [, template] of routing()) {
      const { properties } = guardOf(template);
      const guarded = guardedSchema.parse(resolved(properties));
      const given = guarded.Kind === 'votes' ? guarded.Votes : guarded.Switches;
      const known = new Set(given.map(({ CheckId }) => CheckId));
      const ids = Object.values(resourcesOf(template)).flatMap(({ Type, Properties }) => {
        if (Type === 'AWS::Route53::RecordSet' && guarded.Kind === 'cells') {
          return Properties.Weight === undefined ? [] : [Properties.HealthCheckId];
        }
        const check = Properties.HealthCheckConfig as
          | { readonly ChildHealthChecks?: readonly unknown[] }
          | undefined;
        return check?.ChildHealthChecks ?? [];
      });
      expect(new Set(ids.map((id) => JSON.stringify(id)))).toEqual(known);
    }
  });
});

it('keeps the id of the guard and of every check when votes, groups and cells change', () => {
  const witnesses = ['ca-central-1', 'eu-central-1'];
  const after = {
    ...input,
    regions: { primary: 'us-east-1', standby: 'us-west-2', witnesses },
    cells: input.cells.map((cell) => ({ ...cell, group: 'all' })),
  };
  for (const name of ['shop-routing', 'shop-routing-cells-1']) {
    const [one, other] = [templatesFor(input), templatesFor(after)].map((templates) => templates.get(name));
    if (one === undefined || other === undefined) throw new Error(`no stack ${name}`);
    expect(guardOf(other).id).toBe(guardOf(one).id);
    expect(guardOf(other).properties.ServiceToken).toEqual(guardOf(one).properties.ServiceToken);
  }
});
