import type { Position } from './switch.ts';
import type { Vote } from './vote.ts';

/**
 * What a deployment may do to traffic. Route 53 starts every inverted check unhealthy until its checkers have
 * data, and a record follows the check that it names: so a new check must have data before anything refers to
 * it, and a cell must not change to a switch of another position. The deployment guard asks these rules inside
 * the deployment, and `spillway deploy` asks them before.
 */

/** A health check and where it asks. */
export interface AskedCheck {
  readonly checkId: string;
  /** Host of the function URL, without scheme and path. */
  readonly host: string;
}

export interface DeployedVotes {
  /** Checks of the votes, by the observer's region. */
  readonly votes: ReadonlyMap<string, AskedCheck>;
  /** K: unhealthy votes that make the quorum unhealthy. */
  readonly votesToEvacuate: number;
}

export interface DeployedSwitches {
  /** Checks of the switches, by group. */
  readonly switches: ReadonlyMap<string, AskedCheck>;
  /** The group of each cell. */
  readonly groups: ReadonlyMap<string, string>;
}

/** `silent`: the endpoint did not answer like an endpoint of Spillway, so its health check would read nothing. */
export type OrSilent<Said> = Said | 'silent';

export interface Refusal {
  readonly rule: RefusalRule;
  /** Region of the vote, or group of the switch, or cell. */
  readonly subject: string;
  readonly reason: string;
}

export interface Judgement {
  /** Empty when the deployment may go on. */
  readonly refusals: readonly Refusal[];
  /** Checks that must have data before anything refers to them. */
  readonly newChecks: readonly string[];
  /** Traffic follows what it followed, as when CloudFormation rolls back: nothing has to be asked or waited for. */
  readonly unchanged: boolean;
}

/** Why a deployment is refused, and what to do instead. */
export const refusalRules = {
  evacuating: {
    means: 'A vote says EVACUATE while the votes, or the number of votes that evacuate, are to change.',
    instead:
      'Wait until the votes are HOLD again (`spillway status`), or for the end of the evacuation, and deploy then.',
  },
  silentVote: {
    means: 'The endpoint of a vote whose check is new, or asks another host, does not answer.',
    instead:
      'See why in the log of the vote function in that region (`/aws/lambda/NAME-vote`); a policy that forbids public function URLs has the same effect.',
  },
  silentSwitch: {
    means:
      'The endpoint of a switch whose check is new, or asks another host, does not answer with the stored position.',
    instead: 'See why in the log of the switch function in the standby (`/aws/lambda/NAME-switch`).',
  },
  heldApart: {
    means:
      'A cell is to follow the switch of another group, and one of the two holds traffic in the standby.',
    instead:
      'Deploy with the present group; change the group when both are in the primary (`spillway failback` first), or fail both over.',
  },
  checkGoes: {
    means:
      'A cell is to leave a group that has no cell then, while the cells are in several stacks: the check would go before the cell’s names follow another.',
    instead:
      'Name the group in `keepGroups` in this deployment; take it out there in the next one, when nothing follows its check.',
  },
  intervalApart: {
    means:
      'The interval of the health checks is to change while the cells are in several stacks: each check would be replaced before the names follow the new one.',
    instead:
      'Deploy with the present interval. To change it, deploy a second deployment under another name beside the first, and move the services one by one.',
  },
} as const satisfies Readonly<Record<string, { readonly means: string; readonly instead: string }>>;
export type RefusalRule = keyof typeof refusalRules;

/** Judges a change of the votes. `before` is absent for the first deployment that has a guard. */
export function judgeVotes({
  before,
  after,
  said,
}: {
  readonly before: DeployedVotes | undefined;
  readonly after: DeployedVotes;
  /** What each endpoint of `before` and `after` answers now, by region. */
  readonly said: ReadonlyMap<string, OrSilent<Vote>>;
}): Judgement {
  const changed = changedChecks(before?.votes, after.votes);
  const sameSet =
    before !== undefined &&
    changed.length === 0 &&
    before.votes.size === after.votes.size &&
    before.votesToEvacuate === after.votesToEvacuate;
  if (sameSet) return { refusals: [], newChecks: [], unchanged: true };
  // A vote that goes counts too: without it the quorum might bring traffic back.
  const counted = new Set([...(before?.votes.keys() ?? []), ...after.votes.keys()]);
  const evacuating = [...counted].filter((region) => said.get(region) === 'EVACUATE');
  const silent = changed.filter(([region]) => (said.get(region) ?? 'silent') === 'silent');
  return {
    refusals: [
      ...evacuating.map((region) =>
        refusal('evacuating', region, `the vote of ${region} says EVACUATE, and the votes are to change`),
      ),
      ...silent.map(([region, { host }]) =>
        refusal('silentVote', region, `the vote endpoint of ${region} (${host}) does not answer`),
      ),
    ],
    newChecks: newChecks(before?.votes, after.votes),
    unchanged: false,
  };
}

/** Judges a change of switches and of the cells that follow them. `before` knows the cells of every stack. */
export function judgeSwitches({
  before,
  after,
  positions,
  said,
}: {
  readonly before: DeployedSwitches;
  readonly after: DeployedSwitches;
  /** Stored positions; a group without one was never set, and is in the primary. */
  readonly positions: ReadonlyMap<string, Position>;
  /** What each changed endpoint of `after` answers now, by group. */
  readonly said: ReadonlyMap<string, OrSilent<Position>>;
}): Judgement {
  const positionOf = (group: string): Position => positions.get(group) ?? 'PRIMARY';
  const changed = changedChecks(before.switches, after.switches);
  const regrouped = [...after.groups].flatMap(([cell, to]) => {
    const from = before.groups.get(cell);
    return from === undefined || from === to ? [] : [{ cell, from, to }];
  });
  const refusals = [
    ...regrouped
      .filter(({ from, to }) => positionOf(from) !== positionOf(to))
      .map(({ cell, from, to }) =>
        refusal(
          'heldApart',
          cell,
          `cell ${cell} would go from the switch of ${from}, which is at ${positionOf(from)}, to that of ${to}, which is at ${positionOf(to)}`,
        ),
      ),
    ...changed
      .filter(([group]) => said.get(group) !== positionOf(group))
      .map(([group, { host }]) =>
        refusal(
          'silentSwitch',
          group,
          `the switch endpoint of ${group} (${host}) answers ${said.get(group) ?? 'silent'}, and ${positionOf(group)} is stored`,
        ),
      ),
  ];
  return {
    refusals,
    newChecks: newChecks(before.switches, after.switches),
    unchanged: changed.length === 0 && regrouped.length === 0,
  };
}

export interface ApartChecks {
  /** The group of each cell. */
  readonly before: ReadonlyMap<string, string>;
  readonly after: ReadonlyMap<string, string>;
  /** Groups that have a check afterwards. */
  readonly kept: ReadonlySet<string>;
  /** Interval of the checks now; undefined when it is the same, or not known. */
  readonly intervalSecondsBefore: number | undefined;
  readonly intervalSeconds: number;
}

/**
 * Judges checks in stacks of their own. CloudFormation deletes what a stack does not have any more at the end of
 * that stack's update, when the stacks of the names have not begun theirs, and Route 53 says of a record whose
 * check is deleted that its status "can't be predicted and may change" (DeleteHealthCheck, Route 53 API).
 */
export function judgeApart({ before, after, kept, ...interval }: ApartChecks): readonly Refusal[] {
  const { intervalSecondsBefore: was, intervalSeconds: is } = interval;
  const replaced = was !== undefined && was !== is && before.size > 0;
  const left = [...before].filter(([cell, from]) => after.has(cell) && !kept.has(from));
  return [
    ...(replaced
      ? [
          refusal(
            'intervalApart',
            `${is} s`,
            `the checks of the switches would be replaced, from an interval of ${was} s to one of ${is} s`,
          ),
        ]
      : []),
    ...left.map(([cell, from]) =>
      refusal('checkGoes', cell, `cell ${cell} would leave the switch of ${from}, whose check goes at once`),
    ),
  ];
}

/** Groups or regions whose check is new or asks another host. */
export function changedChecks(
  before: ReadonlyMap<string, AskedCheck> | undefined,
  after: ReadonlyMap<string, AskedCheck>,
): readonly (readonly [string, AskedCheck])[] {
  return [...after].filter(([key, { checkId, host }]) => {
    const known = before?.get(key);
    return known?.checkId !== checkId || known.host !== host;
  });
}

function newChecks(
  before: ReadonlyMap<string, AskedCheck> | undefined,
  after: ReadonlyMap<string, AskedCheck>,
): readonly string[] {
  const known = new Set([...(before?.values() ?? [])].map(({ checkId }) => checkId));
  return [...new Set([...after.values()].map(({ checkId }) => checkId))].filter((id) => !known.has(id));
}

const refusal = (rule: RefusalRule, subject: string, what: string): Refusal => ({
  rule,
  subject,
  reason: `${what}. ${refusalRules[rule].instead}`,
});

/** Failures that each kind of check counts: a vote must be quick; the latch must ride out a blip. */
export const VOTE_FAILURES = 1;
export const SWITCH_FAILURES = 3;

/** Every checker asks once in each interval, at its own time; a checker's opinion needs as many looks as the check counts. */
const INTERVALS_UNTIL_DATA = 3;
/** Until a new check is handed to all checkers [inferred]. */
const PUBLISHED_MS = 15_000;

/**
 * How long a new check must be left alone before anything refers to it, so that every checker has asked often
 * enough to call it healthy.
 */
export const untilDataMs = (of: {
  readonly intervalSeconds: number;
  readonly failureThreshold: number;
}): number =>
  PUBLISHED_MS + Math.max(INTERVALS_UNTIL_DATA, of.failureThreshold + 1) * of.intervalSeconds * 1_000;
