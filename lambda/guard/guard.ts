import { isDeepStrictEqual } from 'node:util';
import { apartRefusals, cellsIn } from '../../lib/deployments/apart.ts';
import {
  type Guarded,
  type GuardedChecks,
  type GuardedGroups,
  guardedKey,
} from '../../lib/settings/guard.ts';
import type { Accepted, Deployed } from '../../lib/state/deployed-table.ts';
import {
  type AskedCheck,
  changedChecks,
  type DeployedSwitches,
  type DeployedVotes,
  type Judgement,
  judgeSwitches,
  judgeVotes,
  type OrSilent,
  type Refusal,
  SWITCH_FAILURES,
  untilDataMs,
  VOTE_FAILURES,
} from '../core/deployment.ts';
import type { EndpointAnswer } from '../core/endpoint-findings.ts';
import type { CheckedEndpoint, EndpointId, EndpointKind } from '../core/endpoint-items.ts';
import { endpointPath } from '../core/endpoint-items.ts';
import { endpointValues, parseEndpointText } from '../core/endpoint-text.ts';
import type { Position } from '../core/switch.ts';
import { DeploymentRefusedError } from './errors.ts';

/** What the guard needs from the world; each call is bounded by whoever gives it. */
export interface GuardPorts {
  readonly table: {
    read(): Promise<Deployed>;
    positions(): Promise<ReadonlyMap<string, Position>>;
    putEndpoint(endpoint: CheckedEndpoint): Promise<void>;
    deleteEndpoint(endpoint: EndpointId): Promise<void>;
    putVotesToEvacuate(votesToEvacuate: number): Promise<void>;
    putGroups(stack: string, groups: ReadonlyMap<string, string>): Promise<void>;
    putAccepted(guarded: string, accepted: Accepted): Promise<void>;
    deleteAccepted(guarded: string): Promise<void>;
    deleteVotes(): Promise<void>;
    deleteStack(stack: string): Promise<void>;
  };
  /** Asks an endpoint as a checker does; never rejects. */
  readonly ask: (endpoint: CheckedEndpoint) => Promise<EndpointAnswer>;
  /** Resolves when Route 53 has observations of every check; rejects when it has none of one of them in time. */
  readonly observed: (checkIds: readonly string[]) => Promise<void>;
  /** Whether CloudFormation is undoing what it did to the stack; false when that cannot be known. */
  readonly rollingBack: () => Promise<boolean>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly nowMs: () => number;
}

type ValueOf<Kind extends EndpointKind> = (typeof endpointValues)[Kind][number];

const FAILURE_THRESHOLD = { votes: VOTE_FAILURES, cells: SWITCH_FAILURES } as const;
/** Endpoints asked at once. */
const PARALLEL = 8;
/** A new function's first answer may be a cold start, and a new URL's permission takes a moment. */
const ASK_ATTEMPTS = 5;
const ASK_AGAIN_MS = 3_000;
/** More would not fit into an answer to CloudFormation. */
const MOST_REASONS = 5;

/**
 * Lets a stack of the routing go on, once nothing in the change can move traffic: new checks have data, and
 * their endpoints answer. Stores what is then in force.
 *
 * `isNew`: the stack is being created. Then no record follows its checks yet, and nothing is waited for.
 * @throws DeploymentRefusedError, with what to do instead; CloudFormation then rolls the stack back.
 */
export async function guardStack(
  { after, isNew }: { readonly after: Guarded; readonly isNew: boolean },
  ports: GuardPorts,
): Promise<void> {
  const before = await ports.table.read();
  if (after.Kind === 'groups') {
    refuse([...(await groupsOf(after, before, ports)).refusals, ...apartRefusals(after, before)]);
    return;
  }
  const accepted = before.accepted.get(guardedKey(after));
  // Something failed after the guard had agreed, and CloudFormation brings back what was in force, with the same
  // checks, which have had data all the time. A refusal here would leave the stack in UPDATE_ROLLBACK_FAILED.
  if (isFormer(after, accepted) && (await ports.rollingBack())) {
    await store({ after, before }, ports);
    return;
  }
  const { refusals, newChecks, unchanged } = await judge(after, before, ports);
  refuse(refusals);
  // As after a refusal, when the stack rolls back: nothing may hold that up.
  if (unchanged && accepted !== undefined && isSame(after, accepted.current)) return;
  if (!isNew && newChecks.length > 0) {
    const failureThreshold = FAILURE_THRESHOLD[after.Kind];
    await ports.sleep(untilDataMs({ intervalSeconds: after.IntervalSeconds, failureThreshold }));
  }
  await ports.observed(newChecks);
  // Traffic may have been moved meanwhile, by an outage or by an operator.
  if (newChecks.length > 0) refuse((await judge(after, before, ports)).refusals);
  await store({ after, before, previous: accepted?.current }, ports);
}

function refuse(refusals: readonly Refusal[]): void {
  if (refusals.length === 0) return;
  const reasons = refusals.slice(0, MOST_REASONS).map(({ reason }) => reason);
  const more = refusals.length > MOST_REASONS ? [`And ${refusals.length - MOST_REASONS} more.`] : [];
  throw new DeploymentRefusedError(`Spillway refuses this deployment: ${[...reasons, ...more].join(' ')}`);
}

const isFormer = (after: GuardedChecks, accepted: Accepted | undefined): boolean =>
  accepted?.previous !== undefined && isSame(after, accepted.previous);

/** Hosts that were given in place of references are there to make a difference where there is none. */
function isSame(one: GuardedChecks, other: GuardedChecks): boolean {
  const bare = ({ GivenHosts: _hosts, ...guarded }: GuardedChecks) => guarded;
  return isDeepStrictEqual(bare(one), bare(other));
}

function judge(after: GuardedChecks, before: Deployed, ports: GuardPorts): Promise<Judgement> {
  switch (after.Kind) {
    case 'votes':
      return votesOf(after, before, ports);
    case 'cells':
      return cellsOf(after, before, ports);
    default:
      return after satisfies never;
  }
}

/** Before the functions learn of other groups: what the stack of the cells would refuse later is refused here. */
async function groupsOf({ Groups }: GuardedGroups, before: Deployed, ports: GuardPorts): Promise<Judgement> {
  return judgeSwitches({
    before: before.switches,
    after: { switches: new Map(), groups: cellsIn(Groups) },
    positions: await ports.table.positions(),
    said: new Map(),
  });
}

async function votesOf(
  after: Extract<Guarded, { Kind: 'votes' }>,
  before: Deployed,
  ports: GuardPorts,
): Promise<Judgement> {
  const votes = { before: before.votes, after: votesIn(after) };
  const unasked = judgeVotes({ ...votes, said: new Map() });
  if (unasked.unchanged) return unasked;
  const said = await answers('vote', {
    checks: [...new Map([...(votes.before?.votes ?? []), ...votes.after.votes])],
    ports,
  });
  return judgeVotes({ ...votes, said });
}

async function cellsOf(
  after: Extract<Guarded, { Kind: 'cells' }>,
  before: Deployed,
  ports: GuardPorts,
): Promise<Judgement> {
  const switches = switchesIn(after);
  const changed = changedChecks(before.switches.switches, switches.switches);
  const [positions, said] = await Promise.all([
    ports.table.positions(),
    answers('switch', { checks: changed, ports }),
  ]);
  return judgeSwitches({ before: before.switches, after: switches, positions, said });
}

/** What each endpoint says, by region or group. An endpoint that could not read its table says nothing. */
async function answers<Kind extends EndpointKind>(
  kind: Kind,
  {
    checks,
    ports,
  }: { readonly checks: readonly (readonly [string, AskedCheck])[]; readonly ports: GuardPorts },
): Promise<ReadonlyMap<string, OrSilent<ValueOf<Kind>>>> {
  const said = new Map<string, OrSilent<ValueOf<Kind>>>();
  const waiting = checks.map(([of, check]) => endpointOf({ kind, of }, { ...check, atMs: ports.nowMs() }));
  const worker = async (): Promise<void> => {
    for (let endpoint = waiting.shift(); endpoint !== undefined; endpoint = waiting.shift()) {
      const value = await saidBy(endpoint, ports);
      const known = endpointValues[kind].find((each): each is ValueOf<Kind> => each === value);
      said.set(endpoint.of, known ?? 'silent');
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return said;
}

async function saidBy(endpoint: CheckedEndpoint, ports: GuardPorts): Promise<string | undefined> {
  for (let attempt = 1; attempt <= ASK_ATTEMPTS; attempt++) {
    const answer = await ports.ask(endpoint);
    const said =
      answer.got === 'answer' && answer.status === 200
        ? parseEndpointText(endpoint.kind, answer.text)
        : undefined;
    if (said?.read === true) return said.value;
    if (attempt < ASK_ATTEMPTS) await ports.sleep(ASK_AGAIN_MS);
  }
  return undefined;
}

const endpointOf = (id: EndpointId, more: AskedCheck & { readonly atMs: number }): CheckedEndpoint => ({
  ...id,
  path: endpointPath(id),
  ...more,
});

function votesIn({ Votes, VotesToEvacuate }: Extract<Guarded, { Kind: 'votes' }>): DeployedVotes {
  return { votes: checksBy(Votes, ({ Region }) => Region), votesToEvacuate: VotesToEvacuate };
}

function switchesIn({ Switches, Cells }: Extract<Guarded, { Kind: 'cells' }>): DeployedSwitches {
  return {
    switches: checksBy(Switches, ({ Group }) => Group),
    groups: new Map(Cells.map(({ Cell, Group }) => [Cell, Group])),
  };
}

const checksBy = <Each extends { readonly Host: string; readonly CheckId: string }>(
  list: readonly Each[],
  keyOf: (each: Each) => string,
): ReadonlyMap<string, AskedCheck> =>
  new Map(list.map((each) => [keyOf(each), { host: each.Host, checkId: each.CheckId }]));

interface Storing {
  readonly after: GuardedChecks;
  readonly before: Deployed;
  /** What a rollback would bring back. */
  readonly previous?: GuardedChecks | undefined;
}

async function store({ after, before, previous }: Storing, ports: GuardPorts): Promise<void> {
  const { table } = ports;
  const atMs = ports.nowMs();
  const put = async (kind: EndpointId['kind'], checks: ReadonlyMap<string, AskedCheck>): Promise<void> => {
    for (const [of, check] of checks) await table.putEndpoint(endpointOf({ kind, of }, { ...check, atMs }));
  };
  if (after.Kind === 'votes') {
    const { votes, votesToEvacuate } = votesIn(after);
    await put('vote', votes);
    for (const of of before.votes?.votes.keys() ?? []) {
      if (!votes.has(of)) await table.deleteEndpoint({ kind: 'vote', of });
    }
    await table.putVotesToEvacuate(votesToEvacuate);
  } else {
    const { switches, groups } = switchesIn(after);
    await put('switch', switches);
    for (const of of abandoned(after.Stack, before, new Set(groups.values()))) {
      await table.deleteEndpoint({ kind: 'switch', of });
    }
    await table.putGroups(after.Stack, groups);
  }
  await table.putAccepted(guardedKey(after), { current: after, previous, atMs });
}

/** Groups that cells of this stack followed, and no cell of any stack follows any more. */
function abandoned(stack: string, before: Deployed, kept: ReadonlySet<string>): readonly string[] {
  const elsewhere = new Set(
    [...before.stacks].filter(([name]) => name !== stack).flatMap(([, groups]) => [...groups.values()]),
  );
  const former = new Set(before.stacks.get(stack)?.values() ?? []);
  return [...former].filter((group) => !kept.has(group) && !elsewhere.has(group));
}

/** Forgets a stack that is deleted. */
export async function forgetStack(gone: Guarded, ports: Pick<GuardPorts, 'table'>): Promise<void> {
  if (gone.Kind === 'groups') return;
  const { table } = ports;
  const before = await table.read();
  await table.deleteAccepted(guardedKey(gone));
  if (gone.Kind === 'votes') {
    for (const of of before.votes?.votes.keys() ?? []) await table.deleteEndpoint({ kind: 'vote', of });
    await table.deleteVotes();
    return;
  }
  for (const of of abandoned(gone.Stack, before, new Set())) {
    await table.deleteEndpoint({ kind: 'switch', of });
  }
  await table.deleteStack(gone.Stack);
}
