import { judgeSwitches, judgeVotes, type OrSilent, refusalRules } from '../../lambda/core/deployment.ts';
import type { Lease } from '../../lambda/core/lease.ts';
import type { Position } from '../../lambda/core/switch.ts';
import type { Vote } from '../../lambda/core/vote.ts';
import type { Deployed } from '../state/deployed-table.ts';
import { bare, publicNames, RECORD_SET, regionIn } from './answers.ts';
import { apartRefusals } from './apart.ts';
import { groupsIn, switchesIn, votesIn } from './guarded.ts';
import type { NamedResource } from './kept.ts';
import type { StackKind } from './stack-kinds.ts';
import { stackStateOf } from './stack-status.ts';
import type { Template } from './template.ts';

/** A stack as the app makes it and as it is deployed. */
export interface ComparedStack {
  readonly name: string;
  readonly region: string;
  readonly kind: StackKind;
  /** Known outputs in place of references. */
  readonly after: Template;
  readonly before: Template | undefined;
  /** Undefined when there is no such stack. */
  readonly status: string | undefined;
}

/** A name of the zone that is there already, although none of this deployment's stacks has it. */
export interface TakenName {
  readonly name: string;
  readonly type: string;
  /** The regions that its records name, where they are signals. */
  readonly primary?: string;
  readonly standby?: string;
}

/** Everything that the refusals are judged by. */
export interface DeploymentFacts {
  readonly primary: string;
  readonly standby: string;
  readonly stacks: readonly ComparedStack[];
  /** What the guard stored; `absent` before the first deployment. */
  readonly guarded: Deployed | 'absent';
  readonly positions: ReadonlyMap<string, Position>;
  /** What each observer's endpoint says now, by region; `silent` when its table does not answer. */
  readonly said: ReadonlyMap<string, OrSilent<Vote>>;
  /** Observers that vote to leave the primary and wait for the switches. */
  readonly evacuating: readonly string[];
  readonly lease: Lease | undefined;
  readonly taken: readonly TakenName[];
  /** Streams and tables that the deployment would create, and that are there already. */
  readonly there: readonly NamedResource[];
  /** Parts that could not be read, each with why. */
  readonly unread: readonly { readonly what: string; readonly problem: string }[];
  /** Cells that may go although they are held in the standby. */
  readonly allowRemoval: readonly string[];
  readonly nowMs: number;
}

interface RefusalRow {
  readonly means: string;
  /** What to do instead, step by step. */
  readonly instead: readonly string[];
}

/** What only the wrapper can see; the guard's own rules are beside these. */
const wrapperRules = {
  unfinished: {
    means: 'An evacuation or a failback is under way, or a drill.',
    instead: [
      'See how far it is: `spillway status`.',
      'Deploy when no run holds the lease, and no observer waits for the switches. Traffic that is held in the standby is no obstacle.',
    ],
  },
  anotherStandby: {
    means: 'The names of the zone are deployed with another standby.',
    instead: [
      'Deploy with the present standby again: a standby is not exchanged under traffic, because it holds the switches and the state.',
      'To exchange it, deploy a second Spillway beside the first, under another `name` and with other names of cells, and move producers and services to its names one by one.',
      'Then remove the first one (docs/deploying.md, “Removing it”).',
    ],
  },
  anotherPrimary: {
    means: 'The names of the zone are deployed with another primary, or with the two regions swapped.',
    instead: [
      'To move traffic, leave the config as it is: `spillway failover --all --reason "…"` holds it in the standby for as long as you want.',
      'To change the roles for good, deploy a second Spillway beside the first, under another `name` and with other names of cells, and move producers and services to its names one by one.',
    ],
  },
  anotherZone: {
    means: 'The names are deployed in another zone.',
    instead: [
      'Deploy with the present zone again: producers and clients ask for names in it.',
      'To change the zone, deploy a second Spillway with another `name` into the new zone, move producers and clients to its names, and then remove the first.',
    ],
  },
  nameTaken: {
    means: 'The zone has records that this deployment is about to create.',
    instead: [
      'If you have renamed the deployment (`name`), give it its former name back: a name is part of every stack.',
      'If the records are another deployment’s or your own, name the cells and services otherwise, or remove those records first, when nobody asks for them.',
    ],
  },
  resourceThere: {
    means: 'A stream or a table that the deployment would create exists already.',
    instead: [
      'A stream: say `stream: { name, existing: true }`. Spillway then uses the stream as it is; what a stack of Spillway has created stays when the cell is renamed or removed.',
      'The state table of a deployment that was destroyed, or whose first creation failed: delete it (docs/deploying.md, “Removing it”), or give this deployment another `name`.',
    ],
  },
  restacked: {
    means: 'Cells would go from one stack to another, because `cellStacks` has changed, or must now be set.',
    instead: [
      'Set `cellStacks` to the present number of stacks: nothing moves then.',
      'Another number needs the names to be removed first, so it is a change for a time without traffic.',
    ],
  },
  heldCellRemoved: {
    means: 'A cell that is held in the standby is to be removed, or renamed, which is the same.',
    instead: [
      'Fail the cell back first (`spillway failback --cells CELL --reason "…"`), and deploy then.',
      'If nobody uses the cell any more: `spillway deploy --allow-removal CELL`.',
    ],
  },
  stuckStack: {
    means: 'A stack is in a state from which CloudFormation cannot update it.',
    instead: ['Do what the reason says for that stack, and deploy again.'],
  },
  unread: {
    means: 'Something that decides whether the deployment is safe could not be read.',
    instead: [
      'Give these credentials the rights that docs/deploy.md lists, or repeat the command when the region answers.',
      'In an emergency `npx cdk deploy STACK` goes on without these looks; the guard in the account still refuses what would move traffic.',
    ],
  },
} as const satisfies Readonly<Record<string, RefusalRow>>;

const ofGuard = Object.fromEntries(
  Object.entries(refusalRules).map(([rule, { means, instead }]) => [rule, { means, instead: [instead] }]),
) as unknown as Readonly<Record<keyof typeof refusalRules, RefusalRow>>;

/** Every reason for which `spillway deploy` refuses, and what to do instead. */
export const deployRefusals: Readonly<Record<DeployRule, RefusalRow>> = { ...ofGuard, ...wrapperRules };
export type DeployRule = keyof typeof refusalRules | keyof typeof wrapperRules;

/**
 * Rules that are asked inside the deployment alone, because the endpoint is new: the CDK then fails with the
 * reason, and CloudFormation rolls that stack back.
 */
export const askedInside: readonly DeployRule[] = ['silentVote', 'silentSwitch'];

export interface DeployRefusal {
  readonly rule: DeployRule;
  readonly subject: string;
  readonly reason: string;
}

/** Why this deployment must not begin; empty when it may. */
export function refusalsOf(facts: DeploymentFacts): readonly DeployRefusal[] {
  const judges = [unread, stuck, unfinished, places, resourcesInTheWay, guardsOwn, restacked, removed];
  return judges.flatMap((judge) => judge(facts));
}

/** Where another rule says that the whole deployment is elsewhere, its resources are no second reason. */
function resourcesInTheWay(facts: DeploymentFacts): readonly DeployRefusal[] {
  if (places(facts).length > 0) return [];
  return facts.there.map(({ type, name, region }) => ({
    rule: 'resourceThere',
    subject: name,
    reason: `${type === 'AWS::Kinesis::Stream' ? 'stream' : 'table'} ${name} in ${region} exists already, and the deployment would create it`,
  }));
}

const unread = ({ unread: parts }: DeploymentFacts): readonly DeployRefusal[] =>
  parts.map(({ what, problem }) => ({
    rule: 'unread',
    subject: what,
    reason: `${what} cannot be read: ${problem}`,
  }));

const stuck = ({ stacks }: DeploymentFacts): readonly DeployRefusal[] =>
  stacks.flatMap(({ name, status }) => {
    const found = status === undefined ? undefined : stackStateOf(status);
    if (found?.state !== 'stuck') return [];
    const fix = found.instead?.replaceAll('STACK', name) ?? '';
    return [{ rule: 'stuckStack', subject: name, reason: `${name} is in ${status}: ${fix}` }];
  });

function unfinished({ lease, evacuating, nowMs }: DeploymentFacts): readonly DeployRefusal[] {
  const held = lease !== undefined && lease.untilMs > nowMs;
  return [
    ...(held
      ? [
          {
            rule: 'unfinished' as const,
            subject: lease.holder,
            reason: `${lease.holder} is at work, until ${new Date(lease.untilMs).toISOString()} at the latest if it does not go on`,
          },
        ]
      : []),
    ...evacuating.map((region) => ({
      rule: 'unfinished' as const,
      subject: region,
      reason: `the observer in ${region} votes to leave the primary, and the switches do not hold yet`,
    })),
  ];
}

/** What the guard will say, as far as it can be known: it asks endpoints that are not there yet by itself. */
function guardsOwn({ stacks, guarded, said, positions }: DeploymentFacts): readonly DeployRefusal[] {
  const stored = guarded === 'absent' ? undefined : guarded;
  return stacks.flatMap(({ after, before }) => {
    const votes = votesIn(after, { stored: stored?.votes, deployed: before });
    if (votes !== undefined) {
      const regions = [...(stored?.votes?.votes.keys() ?? []), ...votes.votes.keys()];
      const known = new Map(regions.map((region) => [region, heard(said.get(region))]));
      return before === undefined
        ? []
        : judgeVotes({ before: stored?.votes, after: votes, said: known }).refusals;
    }
    const groups = groupsIn(after);
    if (groups !== undefined) return stored === undefined ? [] : apartRefusals(groups, stored);
    const cells = switchesIn(after, { stored: stored?.switches, deployed: before });
    if (cells === undefined || stored === undefined) return [];
    const asStored = new Map(
      [...cells.switches.keys()].map((group) => [group, positions.get(group) ?? 'PRIMARY'] as const),
    );
    return judgeSwitches({ before: stored.switches, after: cells, positions, said: asStored }).refusals;
  });
}

/** An endpoint that cannot be asked from here, or is not there yet, is the guard's to judge. */
const heard = (said: OrSilent<Vote> | undefined): Vote =>
  said === undefined || said === 'silent' ? 'HOLD' : said;

function places(facts: DeploymentFacts): readonly DeployRefusal[] {
  const { stacks, taken, primary, standby } = facts;
  const deployed = stacks.flatMap(({ before, after }) => (before === undefined ? [] : [{ before, after }]));
  const zone = deployed
    .map(({ before, after }) => ({ was: zoneOf(before), is: zoneOf(after) }))
    .find(({ was, is }) => was !== undefined && is !== undefined && was !== is);
  if (zone !== undefined) {
    const reason = `the names are deployed in zone ${zone.was}, and the config says ${zone.is}`;
    return [{ rule: 'anotherZone', subject: String(zone.is), reason }];
  }
  const names = deployed.flatMap(({ before }) => publicNames(before));
  const primaries = names.flatMap((name) => name.primary.flatMap(regionIn));
  const standbys = names.flatMap((name) => name.standby.flatMap(regionIn));
  const former = (known: readonly string[], more: readonly (string | undefined)[], now: string) =>
    [...known, ...more].find((region) => region !== undefined && region !== now);
  const was = former(
    primaries,
    taken.map((name) => name.primary),
    primary,
  );
  if (was !== undefined) {
    const reason = `the names are deployed with the primary ${was}, and the config’s primary is ${primary}`;
    return [{ rule: 'anotherPrimary', subject: was, reason }];
  }
  const other = former(
    standbys,
    taken.map((name) => name.standby),
    standby,
  );
  if (other !== undefined) {
    const reason = `the names are deployed with the standby ${other}, and the config’s standby is ${standby}`;
    return [{ rule: 'anotherStandby', subject: other, reason }];
  }
  if (taken.length === 0 || restacked(facts).length > 0) return [];
  const reason = `the zone has ${named(taken.map(({ name }) => name))} already, and no stack of this deployment has it`;
  return [{ rule: 'nameTaken', subject: taken[0]?.name ?? '', reason }];
}

const MOST_NAMED = 3;
const named = (all: readonly string[]): string => {
  const names = [...new Set(all)];
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `${names.slice(0, MOST_NAMED).join(', ')}${more}`;
};

function zoneOf({ Resources }: Template): string | undefined {
  const record = Object.values(Resources).find(({ Type }) => Type === RECORD_SET);
  const zone = record?.Properties.HostedZoneId;
  return typeof zone === 'string' ? zone : undefined;
}
/** The names of records that would be created. */
export function namesToCreate(
  stacks: readonly Pick<ComparedStack, 'before' | 'after'>[],
): readonly { readonly name: string; readonly type: string; readonly zoneId: string }[] {
  const known = new Set(
    stacks.flatMap(({ before }) => (before === undefined ? [] : recordsIn(before))).map(keyOf),
  );
  const created = stacks
    .flatMap(({ after }) => recordsIn(after))
    .filter((record) => !known.has(keyOf(record)));
  return [...new Map(created.map((record) => [keyOf(record), record])).values()];
}

const keyOf = ({ name, type }: { readonly name: string; readonly type: string }): string => `${name} ${type}`;

const recordsIn = ({ Resources }: Template) =>
  Object.values(Resources).flatMap(({ Type, Properties: { Name, Type: type, HostedZoneId } }) =>
    Type === RECORD_SET && typeof Name === 'string' && typeof type === 'string'
      ? [{ name: bare(Name), type, zoneId: String(HostedZoneId) }]
      : [],
  );

/** Cells of each stack by what the app makes now. */
function cellsNow({ stacks }: DeploymentFacts): ReadonlyMap<string, string> {
  const known = { stored: undefined, deployed: undefined };
  return new Map(
    stacks.flatMap(({ after }) => {
      const found = switchesIn(after, known);
      return found === undefined ? [] : [...found.groups.keys()].map((cell) => [cell, found.stack] as const);
    }),
  );
}

function restacked(facts: DeploymentFacts): readonly DeployRefusal[] {
  if (facts.guarded === 'absent') return [];
  const now = cellsNow(facts);
  const moving = [...facts.guarded.stacks].flatMap(([stack, groups]) =>
    [...groups.keys()].flatMap((cell) => {
      const to = now.get(cell);
      return to === undefined || to === stack ? [] : [{ cell, from: stack, to }];
    }),
  );
  const [first] = moving;
  if (first === undefined) return [];
  const { cell, from, to } = first;
  return [
    {
      rule: 'restacked',
      subject: cell,
      reason: `${moving.length} cells would go to another stack, as ${cell} from ${from} to ${to}`,
    },
  ];
}

function removed(facts: DeploymentFacts): readonly DeployRefusal[] {
  const { guarded, positions, allowRemoval } = facts;
  if (guarded === 'absent') return [];
  const now = cellsNow(facts);
  return [...guarded.switches.groups].flatMap(([cell, group]) => {
    const held = positions.get(group) === 'STANDBY';
    if (now.has(cell) || !held || allowRemoval.includes(cell)) return [];
    return [
      {
        rule: 'heldCellRemoved',
        subject: cell,
        reason: `cell ${cell} is held in the standby, and the config does not have it any more`,
      },
    ];
  });
}

/** Cells that go, with their names: nobody answers for them afterwards. */
export function cellsThatGo(facts: Pick<DeploymentFacts, 'guarded' | 'stacks'>): readonly string[] {
  if (facts.guarded === 'absent') return [];
  const now = cellsNow(facts as DeploymentFacts);
  return [...facts.guarded.switches.groups.keys()].filter((cell) => !now.has(cell));
}
