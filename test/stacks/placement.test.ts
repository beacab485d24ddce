import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { cellStacks, MAX_RESOURCES, placed, SPREAD, stackOf } from '../../lib/stacks/placement.ts';
import { appOf, input, templatesOf } from './synth.ts';

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?$/);
const configOf = (names: readonly string[], more: object = {}) => ({
  ...input,
  healthCheckQuota: 10_000,
  cells: names.map((name) => ({ name, stream: { name, existing: true } })),
  ...more,
});
const placeOf = (names: readonly string[], stacks: number): ReadonlyMap<string, number> =>
  new Map(
    placed(names, { stacks, nameOf: (name) => name, resourcesOf: () => 4 }).flatMap(({ stack, items }) =>
      items.map((name) => [name, stack] as const),
    ),
  );

describe('where a cell is kept', () => {
  it('does not depend on which other cells there are', () => {
    const names = fc.uniqueArray(label, { minLength: 2, maxLength: 200 });
    fc.assert(
      fc.property(names, fc.nat(), fc.constantFrom(1, 2, SPREAD, 256), (all, drawn, stacks) => {
        const gone = all[drawn % all.length];
        const before = placeOf(all, stacks);
        for (const [name, stack] of placeOf(
          all.filter((name) => name !== gone),
          stacks,
        ))
          expect(stack).toBe(before.get(name));
      }),
    );
  });

  it.each([
    ['numbered', (n: number) => `cell-${n}`],
    ['padded', (n: number) => `c${String(n).padStart(4, '0')}`],
    ['of teams', (n: number) => `team-${n % 40}-orders-${Math.floor(n / 40)}`],
    ['long', (n: number) => `${'x'.repeat(55)}${n}`],
  ])('a thousand names, %s, fit the stacks, each with a service beside its signal', (_how, nameOf) => {
    const names = Array.from({ length: 1_000 }, (_, n) => nameOf(n));
    const parts = placed(names, { stacks: SPREAD, nameOf: (name) => name, resourcesOf: () => 7 });
    expect(parts.flatMap(({ items }) => items)).toHaveLength(1_000);
    expect(Math.max(...parts.map(({ items }) => 7 * items.length))).toBeLessThanOrEqual(MAX_RESOURCES);
  });

  it('any thousand names fit', () => {
    const names = fc.uniqueArray(label, { minLength: 1_000, maxLength: 1_000 });
    fc.assert(
      fc.property(names, (all) => {
        const parts = placed(all, { stacks: SPREAD, nameOf: (name) => name, resourcesOf: () => 4 });
        expect(parts.length).toBeLessThanOrEqual(SPREAD);
      }),
      { numRuns: 20 },
    );
  });

  it('is refused, with a number of stacks that would do, when a stack would hold too much', () => {
    const names = Array.from({ length: 1_000 }, (_, n) => `c${n}`);
    const heavy = { nameOf: (name: string) => name, resourcesOf: () => 31 };
    const refusal = /would hold \d+ resources.*Set cellStacks: (\d+)\./;
    expect(() => placed(names, { ...heavy, stacks: SPREAD })).toThrow(refusal);
    try {
      placed(names, { ...heavy, stacks: SPREAD });
    } catch (error) {
      const stacks = Number(refusal.exec(String(error))?.[1]);
      expect(() => placed(names, { ...heavy, stacks })).not.toThrow();
    }
    expect(() => placed(['one'], { stacks: 1, nameOf: (name) => name, resourcesOf: () => 501 })).toThrow(
      'Give fewer cells',
    );
  });

  it('is the same on every machine', () => {
    expect(['orders', 'clicks', 'a', 'cell-0999'].map((name) => stackOf(name, SPREAD))).toEqual([
      28, 18, 19, 29,
    ]);
  });
});

describe('the number of stacks', () => {
  const stacksFor = (count: number, more: object = {}): number =>
    cellStacks(
      parseConfig(
        configOf(
          Array.from({ length: count }, (_, n) => `c${n}`),
          more,
        ),
        'test',
      ),
    );

  it('is one as long as everything fits, then many at once, or as configured', () => {
    expect([1, 50, 120].map((count) => stacksFor(count))).toEqual([1, 1, 1]);
    expect([121, 1_000, 5_000].map((count) => stacksFor(count))).toEqual([SPREAD, SPREAD, SPREAD]);
    expect(stacksFor(3, { cellStacks: 7 })).toBe(7);
  });

  it('is in their names, so that another number deletes nothing', () => {
    const names = Array.from({ length: 130 }, (_, n) => `c${n}`);
    const ofCells = (config: Parameters<typeof appOf>[0]): readonly string[] =>
      appOf(config)
        .node.children.map(({ node }) => node.id)
        .filter((name) => /-(cells|switches|streams)-/.test(name));
    const one = ofCells(configOf(names.slice(0, 3)));
    const some = ofCells(configOf(names, { cellStacks: 3 }));
    const many = ofCells(configOf(names, { cellStacks: 4 }));
    expect(one).toEqual(['shop-routing-cells-1']);
    expect(some).toHaveLength(6);
    expect(new Set([...one, ...some, ...many]).size).toBe(1 + 6 + 8);
  });
});

/** More than one stack holds. `npm run test:campaign` asks for a thousand. */
const manyCells = Number(process.env.SPILLWAY_TEST_GROUPS ?? 160);

describe.each([
  ['the most that one stack of switches holds', 120],
  ['more than that', manyCells],
])('%s, %i cells', (_what, count) => {
  it('of a group each, with streams of their own, fit the stacks of CloudFormation', () => {
    const cells = Array.from({ length: count }, (_, n) => ({ name: `c${n}`, stream: `s${n}` }));
    const templates = templatesOf(appOf({ ...input, healthCheckQuota: 2_000, cells }));
    const sizes = [...templates.values()].map((one) => {
      const template = one.toJSON();
      return {
        resources: Object.keys(template.Resources ?? {}).length,
        outputs: Object.keys(template.Outputs ?? {}).length,
        bytes: JSON.stringify(template).length,
      };
    });
    const total = (type: string): number =>
      [...templates.values()].reduce((sum, one) => sum + Object.keys(one.findResources(type)).length, 0);
    expect(total('AWS::Route53::RecordSet')).toBe(3 * count + 2);
    expect(total('AWS::Route53::HealthCheck')).toBe(count + 4);
    expect(total('AWS::Kinesis::Stream')).toBe(2 * count + 2);
    expect(Math.max(...sizes.map(({ resources }) => resources))).toBeLessThanOrEqual(500);
    expect(Math.max(...sizes.map(({ outputs }) => outputs))).toBeLessThanOrEqual(200);
    expect(Math.max(...sizes.map(({ bytes }) => bytes))).toBeLessThan(1_000_000);
  });
});
