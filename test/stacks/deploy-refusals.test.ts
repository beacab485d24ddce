import type { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import type { Position } from '../../lambda/core/switch.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { nameKey, publicNames } from '../../lib/deployments/answers.ts';
import { deploymentBefore, deploymentChanges } from '../../lib/deployments/changes.ts';
import { withoutGiven } from '../../lib/deployments/given-hosts.ts';
import { type NamedResource, namedToCreate } from '../../lib/deployments/kept.ts';
import {
  type ComparedStack,
  cellsThatGo,
  type DeploymentFacts,
  deployRefusals,
  namesToCreate,
  refusalsOf,
  type TakenName,
} from '../../lib/deployments/refusals.ts';
import { stackKindOf } from '../../lib/deployments/stack-kinds.ts';
import {
  diffOf,
  isEmpty,
  parseTemplate,
  type Template,
  withOutputs,
} from '../../lib/deployments/template.ts';
import type { Deployed } from '../../lib/state/deployed-table.ts';
import { appOf, input, templatesFor } from './synth.ts';

const NOW_MS = Date.parse('2026-11-30T12:00:00Z');
const DEPLOYED = 'UPDATE_COMPLETE';

const templatesIn = (config: ConfigInput): ReadonlyMap<string, Template> =>
  new Map(
    [...templatesFor(config)].map(([name, template]) => [name, parseTemplate(template.toJSON()) as Template]),
  );

/** What the guard has stored after a deployment of this config. */
function storedAfter(config: ConfigInput): Deployed {
  const { regions, cells, policy, name } = parseConfig(config, 'test');
  const observers = [regions.standby, ...regions.witnesses];
  const groups = new Map(cells.map((cell) => [cell.name, cell.group]));
  return {
    votes: {
      votesToEvacuate: policy.votesToEvacuate,
      votes: new Map(
        observers.map((region) => [region, { checkId: `check-${region}`, host: `${region}.on.aws` }]),
      ),
    },
    switches: {
      switches: new Map(
        [...groups.values()].map((group) => [group, { checkId: `check-${group}`, host: 'switch.on.aws' }]),
      ),
      groups,
    },
    stacks: new Map([[`${name}-routing-cells-1`, groups]]),
    accepted: new Map(),
  };
}

interface Facts extends Partial<Omit<DeploymentFacts, 'stacks'>> {
  readonly before?: ConfigInput | 'nothing';
  readonly status?: string;
}

function facts(
  after: ConfigInput,
  { before = input, status = DEPLOYED, ...change }: Facts = {},
): DeploymentFacts {
  const { regions, name } = parseConfig(after, 'test');
  const was = before === 'nothing' ? new Map<string, Template>() : templatesIn(before);
  const stacks = [...templatesIn(after)].map(([stack, template]): ComparedStack => {
    const kind = stackKindOf(stack, name);
    if (kind === undefined) throw new Error(`${stack} is of no kind`);
    const known = was.get(stack);
    // Its name in place of its region: names of resources are the same in several regions.
    return { name: stack, region: stack, kind, after: template, before: known, status: known && status };
  });
  return {
    primary: regions.primary,
    standby: regions.standby,
    stacks,
    guarded: before === 'nothing' ? 'absent' : storedAfter(before),
    positions: new Map(),
    said: new Map([regions.standby, ...regions.witnesses].map((region) => [region, 'HOLD'])),
    evacuating: [],
    lease: undefined,
    taken: [],
    there: [],
    unread: [],
    allowRemoval: [],
    nowMs: NOW_MS,
    ...change,
  };
}

const rulesOf = (of: DeploymentFacts): readonly string[] => refusalsOf(of).map(({ rule }) => rule);
const regions = { primary: 'us-east-1', standby: 'us-west-2', witnesses: ['us-east-2', 'eu-west-1'] };
const [orders, clicks] = input.cells;
if (orders === undefined || clicks === undefined) throw new Error('The input has two cells.');
const held: ReadonlyMap<string, Position> = new Map([['clicks', 'STANDBY']]);
const otherTtl: ConfigInput = { ...input, delivery: { dnsTtlSeconds: 10, rtoMs: 90_000 } };
const wide: ConfigInput = {
  ...input,
  regions: { ...regions, witnesses: ['us-east-2', 'eu-west-1', 'ca-central-1', 'eu-central-1'] },
};
const otherVotes: ConfigInput = { ...wide, policy: { votesToEvacuate: 4 } };
const otherInterval: ConfigInput = {
  ...input,
  delivery: { healthCheckIntervalSeconds: 30, rtoMs: 120_000 },
};

describe('a deployment in quiet times', () => {
  it.each<[string, ConfigInput]>([
    ['of nothing new', input],
    ['of another TTL', otherTtl],
    ['of another interval', otherInterval],
    [
      'of two other witnesses',
      { ...input, regions: { ...regions, witnesses: ['ca-central-1', 'eu-central-1'] } },
    ],
    ['of a cell in another group', { ...input, cells: [orders, { ...clicks, group: 'orders' }] }],
    ['of one cell less', { ...input, cells: [orders] }],
    [
      'of one cell more',
      { ...input, cells: [orders, clicks, { name: 'visits', stream: { name: 'visits', shards: 1 } }] },
    ],
  ])('%s is not refused', (_, after) => {
    expect(refusalsOf(facts(after))).toEqual([]);
  });

  it('of another K is not refused', () => {
    expect(refusalsOf(facts(otherVotes, { before: wide }))).toEqual([]);
  });

  it('of everything for the first time is not refused', () => {
    expect(refusalsOf(facts(input, { before: 'nothing' }))).toEqual([]);
  });
});

describe('what the guard would refuse is refused before', () => {
  const evacuate = new Map([['us-east-2', 'EVACUATE' as const]]);

  it('another K while a vote says EVACUATE', () => {
    expect(rulesOf(facts(otherVotes, { before: wide, said: evacuate }))).toEqual(['evacuating']);
  });

  it.each<[string, ConfigInput]>([
    ['another interval', otherInterval],
    ['another witness', { ...input, regions: { ...regions, witnesses: ['us-east-2', 'ca-central-1'] } }],
  ])('%s while a vote says EVACUATE', (_, after) => {
    expect(rulesOf(facts(after, { said: evacuate }))).toContain('evacuating');
  });

  it('but not a change that leaves the votes as they are', () => {
    expect(rulesOf(facts(otherTtl, { said: evacuate }))).toEqual([]);
  });

  it('a cell that would follow a switch of another position', () => {
    const after: ConfigInput = { ...input, cells: [orders, { ...clicks, group: 'orders' }] };
    expect(refusalsOf(facts(after, { positions: held }))).toMatchObject([
      { rule: 'heldApart', subject: 'clicks' },
    ]);
    const both = new Map(held).set('orders', 'STANDBY');
    expect(rulesOf(facts(after, { positions: both }))).toEqual([]);
  });

  it('a cell that is held, and would have a switch of its own', () => {
    const after: ConfigInput = { ...input, cells: [orders, { ...clicks, group: 'web' }] };
    expect(rulesOf(facts(after, { positions: held }))).toEqual(['heldApart']);
  });
});

describe('what the guard cannot see is refused', () => {
  it('a conductor at work', () => {
    const lease = { holder: 'failback-1', epoch: 4, untilMs: NOW_MS + 1_000 };
    expect(rulesOf(facts(otherTtl, { lease }))).toEqual(['unfinished']);
    expect(rulesOf(facts(otherTtl, { lease: { ...lease, untilMs: NOW_MS } }))).toEqual([]);
  });

  it('an observer that waits for the switches', () => {
    expect(rulesOf(facts(input, { evacuating: ['us-east-2'] }))).toEqual(['unfinished']);
  });

  it('a held cell that goes, unless that is allowed', () => {
    const after: ConfigInput = { ...input, cells: [orders] };
    const going = facts(after, { positions: held });
    expect(refusalsOf(going)).toMatchObject([{ rule: 'heldCellRemoved', subject: 'clicks' }]);
    expect(cellsThatGo(going)).toEqual(['clicks']);
    expect(rulesOf({ ...going, allowRemoval: ['clicks'] })).toEqual([]);
  });

  it('a held cell with another name', () => {
    const after: ConfigInput = { ...input, cells: [orders, { ...clicks, name: 'visits', group: 'clicks' }] };
    expect(rulesOf(facts(after, { positions: held }))).toEqual(['heldCellRemoved']);
  });

  it('a stack that cannot be updated, with the way out', () => {
    const [refusal] = refusalsOf(facts(input, { status: 'UPDATE_ROLLBACK_FAILED' }));
    expect(refusal).toMatchObject({ rule: 'stuckStack', subject: 'shop-primary' });
    expect(refusal?.reason).toMatch(/UPDATE_ROLLBACK_FAILED: npx cdk rollback shop-primary/);
  });

  it('what could not be read', () => {
    const unread = [{ what: 'the state table', problem: 'denied' }];
    expect(refusalsOf(facts(input, { unread }))).toMatchObject([
      { rule: 'unread', subject: 'the state table' },
    ]);
  });
});

/** What the zone holds of a config, as Route 53 lists it. */
const takenOf = (config: ConfigInput, of: DeploymentFacts): readonly TakenName[] => {
  const there = [...templatesIn(config).values()].flatMap(publicNames);
  const { regions: places } = parseConfig(config, 'test');
  return namesToCreate(of.stacks).flatMap(({ name, type }) =>
    there.some((each) => nameKey(each) === `${name} ${type}`)
      ? [{ name, type, ...(type === 'TXT' ? { primary: places.primary, standby: places.standby } : {}) }]
      : [],
  );
};

describe('names of the zone that are there already', () => {
  const moved = (after: ConfigInput): DeploymentFacts => {
    // Nothing of it is deployed where this config looks.
    const of = facts(after, { before: 'nothing' });
    return { ...of, taken: takenOf(input, of) };
  };

  it.each<[string, ConfigInput, string]>([
    ['of another standby', { ...input, regions: { ...regions, standby: 'eu-central-1' } }, 'anotherStandby'],
    [
      'of swapped roles',
      { ...input, regions: { ...regions, primary: 'us-west-2', standby: 'us-east-1' } },
      'anotherPrimary',
    ],
    ['of another deployment', { ...input, name: 'store' }, 'nameTaken'],
  ])('%s', (_, after, rule) => {
    const of = moved(after);
    expect(of.taken.length).toBeGreaterThan(0);
    expect(rulesOf(of)).toEqual([rule]);
  });

  it('of another primary with the same standby, which the deployed names say', () => {
    const after: ConfigInput = { ...input, regions: { ...regions, primary: 'ca-central-1' } };
    expect(rulesOf(facts(after))).toEqual(['anotherPrimary']);
  });

  it('of another zone', () => {
    const after: ConfigInput = { ...input, zone: { id: 'Z9999999999ABCDEFGHIJ', name: 'example.org' } };
    expect(rulesOf(facts(after))).toEqual(['anotherZone']);
  });

  it('of cells that another number of stacks would put elsewhere', () => {
    const of = facts({ ...input, cellStacks: 2 });
    const taken = takenOf(input, of);
    expect(taken.length).toBeGreaterThan(0);
    expect(rulesOf({ ...of, taken })).toEqual(['restacked']);
  });

  it('are none where a deployment only changes', () => {
    expect(namesToCreate(facts(otherTtl).stacks)).toEqual([]);
  });
});

/** What the deployment would create and the account of a config has, or keeps from before. */
const thereOf = (config: ConfigInput, of: DeploymentFacts): readonly NamedResource[] => {
  const stacks = [...templatesIn(config)].map(([region, after]) => ({ after, before: undefined, region }));
  const has = namedToCreate(stacks).map((each) => JSON.stringify(each));
  return namedToCreate(of.stacks).filter((each) => has.includes(JSON.stringify(each)));
};

describe.each(deploymentChanges)('a deployment that $what', ({ after, takesBack, byWrapper, ...plain }) => {
  const before = deploymentChanges.find(({ name }) => name === takesBack)?.after ?? deploymentBefore;
  const names = parseConfig(deploymentBefore, 'test').cells.map(({ group }) => group);
  const positions = {
    steady: new Map<string, Position>(),
    evacuated: new Map(names.map((group) => [group, 'STANDBY' as const])),
  };

  it.each(['steady', 'evacuated'] as const)('is refused, or not, as the table says: %s', (state) => {
    const { regions: places } = parseConfig(after, 'test');
    const elsewhere = places.standby !== deploymentBefore.regions.standby;
    const of = facts(after, { before: elsewhere ? 'nothing' : before });
    const [taken, there] = [takenOf(before, of), thereOf(before, of)];
    const refused = refusalsOf({ ...of, taken, there, positions: positions[state] }).length > 0;
    expect(refused).toBe((byWrapper?.[state] ?? plain[state]) === 'refused');
  });
});

describe('cells in two stacks, with the checks of their switches in two others', () => {
  const apart: ConfigInput = { ...input, cellStacks: 2 };
  const stored = (): Deployed => ({
    ...storedAfter(apart),
    stacks: new Map(),
    accepted: new Map([
      [
        'shop-routing-cells-1-of-2',
        {
          atMs: 0,
          current: {
            Kind: 'cells',
            IntervalSeconds: 10,
            Stack: 'shop-routing-cells-1-of-2',
            Cells: [],
            Switches: [],
          },
        },
      ],
    ]),
  });
  const rules = (after: ConfigInput): readonly string[] =>
    rulesOf(facts(after, { before: apart, guarded: stored() }));
  const regrouped: ConfigInput = { ...apart, cells: [orders, { ...clicks, group: 'orders' }] };

  it('may not leave a group that is gone then, unless its check stays for one deployment', () => {
    expect(rules(regrouped)).toEqual(['checkGoes']);
    expect(rules({ ...regrouped, keepGroups: ['clicks'] })).toEqual([]);
    const checks = [...templatesIn({ ...regrouped, keepGroups: ['clicks'] })]
      .filter(([name]) => name.includes('-switches-'))
      .flatMap(([, { Resources }]) => Object.values(Resources));
    expect(checks.filter(({ Type }) => Type === 'AWS::Route53::HealthCheck')).toHaveLength(2);
  });

  it('may not have another interval, and may change otherwise', () => {
    expect(rules({ ...otherInterval, cellStacks: 2 })).toEqual(['intervalApart']);
    expect(rules({ ...otherTtl, cellStacks: 2 })).toEqual([]);
    expect(rules({ ...apart, cells: [orders] })).toEqual([]);
  });
});

it('every rule says what to do instead', () => {
  for (const { means, instead } of Object.values(deployRefusals)) {
    expect(means).toMatch(/\.$/);
    expect(instead.length).toBeGreaterThan(0);
  }
});

it('every stack of a deployment is of one kind', () => {
  const names = [...templatesFor().keys(), ...templatesFor({ ...input, cellStacks: 2 }).keys()];
  expect(names.some((name) => name.includes('-routing-switches-'))).toBe(true);
  expect(names.some((name) => name.includes('-primary-streams-'))).toBe(true);
  for (const name of names) expect(stackKindOf(name, 'shop')).toBeDefined();
  expect(stackKindOf('shop-other', 'shop')).toBeUndefined();
  expect(stackKindOf('shopping-routing', 'shop')).toBeUndefined();
});

describe('hosts in the context', () => {
  const hosts = { 'us-east-2': 'new.lambda-url.us-east-2.on.aws', switch: 'new.lambda-url.us-west-2.on.aws' };
  const checksIn = (app: App, stack: string): readonly unknown[] => {
    const template = parseTemplate(app.synth().getStackByName(stack).template);
    return Object.values(template?.Resources ?? {}).flatMap(({ Type, Properties }) =>
      Type === 'AWS::Route53::HealthCheck'
        ? [(Properties.HealthCheckConfig as Readonly<Record<string, unknown>>).FullyQualifiedDomainName]
        : [],
    );
  };
  const reference = { 'Fn::GetStackOutput': expect.anything() };

  it.each([JSON.stringify(hosts), hosts])('are asked in place of references', (given) => {
    const app = appOf(input, { 'spillway:hosts': given });
    expect(checksIn(app, 'shop-routing')).toEqual([reference, hosts['us-east-2'], reference, undefined]);
    expect(checksIn(app, 'shop-routing-cells-1')).toEqual([hosts.switch, hosts.switch]);
  });

  it('mark the checks and the guard, so that CloudFormation sees a difference in any case, and compare as if they did not', () => {
    const templateOf = (context: Readonly<Record<string, unknown>>): Template =>
      parseTemplate(appOf(input, context).synth().getStackByName('shop-routing').template) as Template;
    const [given, plain] = [templateOf({ 'spillway:hosts': hosts }), templateOf({})];
    const marks = JSON.stringify(given.Resources).match(
      /"Key":"Host","Value":"[^"]*"|"GivenHosts":\[[^\]]*\]/g,
    );
    expect(marks).toEqual([
      `"Key":"Host","Value":"${hosts['us-east-2']}"`,
      `"GivenHosts":["${hosts['us-east-2']}"]`,
    ]);
    expect(JSON.stringify(plain)).not.toMatch(/"Host","Value"|GivenHosts/);
    const outputs = new Map([['shop-witness-us-east-2', { VoteHostName: hosts['us-east-2'] }]]);
    const [one, other] = [given, plain].map((each) => withoutGiven(withOutputs(each, outputs)));
    expect(isEmpty(diffOf(one, other as Template))).toBe(true);
  });

  it('that are none are refused', () => {
    expect(() => appOf(input, { 'spillway:hosts': 'us-east-2' })).toThrow(/spillway:hosts is no JSON object/);
  });
});
