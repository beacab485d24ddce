import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CircularStacksError,
  type PlannedStack,
  planOf,
  type StagesOptions,
  stackChanges,
  stagesOf,
} from '../../lib/deployments/plan.ts';
import type { DeploymentFacts } from '../../lib/deployments/refusals.ts';
import { isObserver, type StackKind, stackKinds } from '../../lib/deployments/stack-kinds.ts';

const MINUTE_MS = 60_000;
const NOW_MS = 1_000 * MINUTE_MS;
const options: StagesOptions = { soakMs: 10 * MINUTE_MS, watchDnsMs: 60_000, nowMs: NOW_MS };

const stack = (name: string, kind: StackKind, change: Partial<PlannedStack> = {}): PlannedStack => ({
  name,
  region: name,
  kind,
  change: 'same',
  changesObserver: false,
  dependencies: [],
  changedAtMs: 0,
  ...change,
});
const newVersion = { change: 'changed', changesObserver: true } as const;
const everything = (change: Partial<PlannedStack>): readonly PlannedStack[] => [
  stack('primary', 'primary', change),
  stack('standby', 'standby', change),
  stack('witness-a', 'witness', change),
  stack('witness-b', 'witness', change),
  stack('routing', 'routing', { ...change, dependencies: ['standby', 'witness-a', 'witness-b'] }),
  stack('cells-1', 'cells', { ...change, dependencies: ['routing', 'standby'] }),
  stack('cells-2', 'cells', { ...change, dependencies: ['routing', 'standby'] }),
  stack('cells-3', 'cells', { ...change, dependencies: ['routing', 'standby'] }),
];

describe('the stages', () => {
  it('of a first deployment take what does not wait for each other together, and watch nothing', () => {
    const stages = stagesOf(everything({ change: 'new' }), options);
    expect(stages.map(({ stacks }) => stacks)).toEqual([
      ['primary'],
      ['standby', 'witness-a', 'witness-b'],
      ['routing'],
      ['cells-1', 'cells-2', 'cells-3'],
    ]);
    expect(stages.every(({ soak, watchDnsMs }) => soak === undefined && watchDnsMs === 0)).toBe(true);
  });

  it('of a new version change one observer after the other, the standby last, with a soak before the next', () => {
    const stages = stagesOf(everything(newVersion), options);
    expect(stages.map(({ stacks, soak }) => [stacks, soak?.observers, soak?.ms])).toEqual([
      [['primary'], undefined, undefined],
      [['witness-a'], ['witness-a'], options.soakMs],
      [['witness-b'], ['witness-b'], options.soakMs],
      [['standby'], ['standby'], options.soakMs],
      [['routing'], undefined, undefined],
      [['cells-1'], undefined, undefined],
      [['cells-2', 'cells-3'], undefined, undefined],
    ]);
  });

  it('wait for one good report only after the last observer, when nothing follows', () => {
    const stages = stagesOf(
      everything({}).map((each) => (isObserver(each.kind) ? { ...each, ...newVersion } : each)),
      options,
    );
    expect(stages.map(({ soak }) => soak?.ms)).toEqual([options.soakMs, options.soakMs, 0]);
  });

  it('take an observer of which only alarms change with the rest, and watch nothing', () => {
    const stages = stagesOf(
      everything({}).map((each) => (isObserver(each.kind) ? { ...each, change: 'changed' } : each)),
      options,
    );
    expect(stages).toEqual([
      { kind: 'besides', stacks: ['standby', 'witness-a', 'witness-b'], watchDnsMs: 0 },
    ]);
  });

  it('watch new observers before the quorum counts them', () => {
    const stacks = [
      ...everything({}).filter(({ kind }) => kind !== 'routing'),
      stack('witness-c', 'witness', { change: 'new' }),
      stack('witness-d', 'witness', { change: 'new' }),
      stack('routing', 'routing', { change: 'changed', dependencies: ['witness-c', 'witness-d'] }),
    ];
    expect(stagesOf(stacks, options)).toEqual([
      {
        kind: 'newObservers',
        stacks: ['witness-c', 'witness-d'],
        soak: { observers: ['witness-c', 'witness-d'], ms: options.soakMs },
        watchDnsMs: 0,
      },
      { kind: 'routing', stacks: ['routing'], watchDnsMs: options.watchDnsMs },
    ]);
  });

  it('begin with the rest of a soak that an earlier run has left', () => {
    const stacks = everything({}).map((each) => {
      if (each.name === 'witness-a') return { ...each, changedAtMs: NOW_MS - 4 * MINUTE_MS };
      return isObserver(each.kind) ? { ...each, ...newVersion } : each;
    });
    const [first, second] = stagesOf(stacks, options);
    expect(first).toEqual({
      kind: 'soak',
      stacks: [],
      soak: { observers: ['witness-a'], ms: 6 * MINUTE_MS },
      watchDnsMs: 0,
    });
    expect(second?.stacks).toEqual(['witness-b']);
  });

  it('watch nothing with a soak of 0', () => {
    const stages = stagesOf(everything(newVersion), { ...options, soakMs: 0 });
    expect(stages.every(({ soak }) => soak === undefined)).toBe(true);
    expect(stages.filter(({ kind }) => kind === 'witness')).toHaveLength(2);
  });

  it('are none for stacks that wait for each other', () => {
    const circle = [
      stack('a', 'witness', { change: 'new', dependencies: ['b'] }),
      stack('b', 'standby', { change: 'new', dependencies: ['a'] }),
    ];
    expect(() => stagesOf(circle, options)).toThrow(CircularStacksError);
  });
});

const kinds = Object.keys(stackKinds) as StackKind[];
/** Any deployment: dependencies lead to earlier stacks of the list, so they are never in a circle. */
const anyStacks = fc
  .array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      change: fc.constantFrom(...stackChanges),
      changesObserver: fc.boolean(),
      after: fc.array(fc.nat(40), { maxLength: 2 }),
      changedAtMs: fc.constantFrom(0, NOW_MS - MINUTE_MS, NOW_MS),
    }),
    { maxLength: 12 },
  )
  .map((made) =>
    made.map(
      ({ after, ...each }, at): PlannedStack => ({
        ...each,
        name: `s${at}`,
        region: `r${at}`,
        dependencies: at === 0 ? [] : [...new Set(after.map((n) => `s${n % at}`))],
      }),
    ),
  );
const anySoak = fc.constantFrom(0, MINUTE_MS, 10 * MINUTE_MS);

describe('whatever changes, the stages', () => {
  it('have every changed stack once, after those that it depends on', () => {
    fc.assert(
      fc.property(anyStacks, anySoak, (stacks, soakMs) => {
        const stages = stagesOf(stacks, { ...options, soakMs });
        const placed = stages.flatMap(({ stacks: names }, at) => names.map((name) => [name, at] as const));
        expect(placed.map(([name]) => name).toSorted()).toEqual(
          stacks
            .filter(({ change }) => change !== 'same')
            .map(({ name }) => name)
            .toSorted(),
        );
        const stageOf = new Map(placed);
        const byName = new Map(stacks.map((each) => [each.name, each]));
        // Also across a stack that stays as it is.
        const ancestors = (name: string): readonly string[] =>
          (byName.get(name)?.dependencies ?? []).flatMap((before) => [before, ...ancestors(before)]);
        for (const [name, at] of placed) {
          for (const before of ancestors(name)) expect(stageOf.get(before) ?? -1).toBeLessThan(at);
        }
      }),
    );
  });

  it('never change two observers together, and watch each before another follows', () => {
    fc.assert(
      fc.property(anyStacks, anySoak, (stacks, soakMs) => {
        const stages = stagesOf(stacks, { ...options, soakMs });
        const byName = new Map(stacks.map((each) => [each.name, each]));
        const changing = ({ stacks: names }: { readonly stacks: readonly string[] }) =>
          names.filter((name) => {
            const each = byName.get(name);
            return (
              each !== undefined && isObserver(each.kind) && each.change !== 'new' && each.changesObserver
            );
          });
        const isFirst = stacks.every(
          ({ kind, change }) => !['routing', 'cells'].includes(kind) || change === 'new',
        );
        stages.forEach((stage, at) => {
          expect(changing(stage).length).toBeLessThanOrEqual(1);
          const later = stages.slice(at + 1).some((other) => changing(other).length > 0);
          if (changing(stage).length === 1 && later && soakMs > 0 && !isFirst) {
            expect(stage.soak).toEqual({
              observers: [byName.get(changing(stage)[0] ?? '')?.region],
              ms: soakMs,
            });
          }
        });
      }),
    );
  });

  it('are none when the deployment is refused', () => {
    fc.assert(
      fc.property(anyStacks, fc.boolean(), (stacks, held) => {
        const facts: DeploymentFacts = {
          primary: 'us-east-1',
          standby: 'us-west-2',
          stacks: [],
          guarded: 'absent',
          positions: new Map(),
          said: new Map(),
          evacuating: [],
          lease: held ? { holder: 'run', epoch: 1, untilMs: NOW_MS + 1 } : undefined,
          taken: [],
          there: [],
          unread: [],
          allowRemoval: [],
          nowMs: NOW_MS,
        };
        const { stages, refusals } = planOf(stacks, { ...options, facts });
        const differs = stacks.some(({ change }) => change !== 'same');
        expect(refusals.map(({ rule }) => rule)).toEqual(held && differs ? ['unfinished'] : []);
        expect(stages.length > 0).toBe(differs && !held);
      }),
    );
  });
});
