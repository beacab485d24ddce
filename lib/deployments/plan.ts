import { type DeploymentFacts, type DeployRefusal, refusalsOf } from './refusals.ts';
import { isObserver, type StackKind } from './stack-kinds.ts';

/**
 * The stages of a deployment. Pure: which stacks are deployed together, in which order, and what is waited for
 * between them.
 */

/**
 * `rehosted`: the text of the template is the same, but a host that its checks ask is another one, because the
 * stack with that endpoint was destroyed and is deployed again.
 */
export const stackChanges = ['new', 'changed', 'rehosted', 'same'] as const;
export type StackChange = (typeof stackChanges)[number];

export interface PlannedStack {
  readonly name: string;
  readonly region: string;
  readonly kind: StackKind;
  readonly change: StackChange;
  /** Of an observer's stack: the change is of what the observer runs, sees, stores or says. */
  readonly changesObserver: boolean;
  /** Names of stacks that come before this one. */
  readonly dependencies: readonly string[];
  /** Of an observer's stack that is deployed: when it last changed. */
  readonly changedAtMs?: number;
}

/** What a stage is for, in the order in which stages come where dependencies leave a choice. */
export const stageKinds = {
  soak: 'an observer of the new version, deployed by an earlier run, is watched to the end of its soak',
  besides: 'streams, alarms and the like: nothing that decides or answers',
  newObservers: 'observers that do not vote yet',
  witness: 'one witness in its new version',
  standby: 'the standby, with its observer, in its new version: last, because it also has the switches',
  routing: 'the checks of votes and switches, and the quorum',
  firstCells: 'the names of the first cells, alone',
  cells: 'the names of all other cells',
} as const satisfies Readonly<Record<string, string>>;
export type StageKind = keyof typeof stageKinds;
const order = Object.keys(stageKinds) as StageKind[];
/** Stages of a single stack: what it breaks, it breaks alone. */
const single: readonly StageKind[] = ['witness', 'standby', 'firstCells'];

export interface Soak {
  /** Regions of the observers that are watched. */
  readonly observers: readonly string[];
  /** How long they must be sound; 0: once is enough. */
  readonly ms: number;
}

export interface Stage {
  readonly kind: StageKind;
  /** Empty: nothing is deployed. */
  readonly stacks: readonly string[];
  /** What is watched afterwards. */
  readonly soak?: Soak;
  /** DNS is asked for so long afterwards, because checks or records have changed; 0: once. */
  readonly watchDnsMs: number;
}

/**
 * Ten minutes: ten runs of the function have taken over from each other, the slow probes have come five times,
 * and the alarms for an observer that is silent (3 min) or disagrees (10 min) would have fired.
 */
export const DEFAULT_SOAK_MS = 600_000;

export interface StagesOptions {
  /** How long an observer is watched before another one is deployed; 0: not at all. */
  readonly soakMs: number;
  readonly watchDnsMs: number;
  readonly nowMs: number;
}

/** The app says that stacks wait for each other in a circle, which the CDK does not allow. */
export class CircularStacksError extends Error {
  override readonly name = 'CircularStacksError';
}

/**
 * Every changed stack in exactly one stage, none before a stack that it depends on, and never two observers
 * that change in the same one. @throws CircularStacksError
 */
export function stagesOf(stacks: readonly PlannedStack[], options: StagesOptions): readonly Stage[] {
  // While nothing is deployed, no vote counts and no name answers: there is nothing to watch.
  const first = !stacks.some(({ kind, change }) => ['routing', 'cells'].includes(kind) && change !== 'new');
  const waiting = new Map(
    stacks.filter(({ change }) => change !== 'same').map((stack) => [stack.name, stack] as const),
  );
  const before = dependenciesOf(stacks);
  const groups: { readonly kind: StageKind; readonly stacks: readonly PlannedStack[] }[] = [];
  let cellsBegun = !stacks.some(({ kind, change }) => kind === 'cells' && change !== 'new');
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter(
      ({ name }) => ![...(before.get(name) ?? [])].some((each) => waiting.has(each)),
    );
    const kindOf = (stack: PlannedStack): StageKind => stageKindOf(stack, cellsBegun);
    const kind = order.find((each) => ready.some((stack) => kindOf(stack) === each));
    if (kind === undefined) {
      throw new CircularStacksError(
        `These stacks wait for each other: ${[...waiting.keys()].join(', ')}. Take out the dependencies that you have added to the app.`,
      );
    }
    const fitting = ready.filter((stack) => kindOf(stack) === kind);
    const taken = single.includes(kind) ? fitting.slice(0, 1) : fitting;
    if (kind === 'firstCells') cellsBegun = true;
    for (const { name } of taken) waiting.delete(name);
    groups.push({ kind, stacks: taken });
  }
  return soaked(groups, { stacks, first, options });
}

/** All that comes before each stack, across stacks that stay as they are. */
function dependenciesOf(stacks: readonly PlannedStack[]): ReadonlyMap<string, ReadonlySet<string>> {
  const direct = new Map(stacks.map(({ name, dependencies }) => [name, dependencies] as const));
  return new Map(
    stacks.map(({ name }) => {
      const all = new Set<string>();
      const open = [...(direct.get(name) ?? [])];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (all.has(next)) continue;
        all.add(next);
        open.push(...(direct.get(next) ?? []));
      }
      return [name, all] as const;
    }),
  );
}

function stageKindOf({ kind, change, changesObserver }: PlannedStack, cellsBegun: boolean): StageKind {
  switch (kind) {
    case 'primary':
    case 'streams':
      return 'besides';
    case 'witness':
    case 'standby':
      if (change === 'new') return 'newObservers';
      return changesObserver ? kind : 'besides';
    case 'routing':
    case 'switches':
      return 'routing';
    case 'cells':
      return cellsBegun ? 'cells' : 'firstCells';
    default:
      return kind satisfies never;
  }
}

interface Soaking {
  readonly stacks: readonly PlannedStack[];
  readonly first: boolean;
  readonly options: StagesOptions;
}

function soaked(
  groups: readonly { readonly kind: StageKind; readonly stacks: readonly PlannedStack[] }[],
  { stacks, first, options }: Soaking,
): readonly Stage[] {
  const { soakMs, watchDnsMs, nowMs } = options;
  const observing = (kind: StageKind): boolean => ['newObservers', 'witness', 'standby'].includes(kind);
  const stages = groups.map(({ kind, stacks: taken }, at): Stage => {
    const regions = taken.filter((stack) => isObserver(stack.kind)).map(({ region }) => region);
    // The quorum counts new observers as soon as the routing follows.
    const goesOn = groups.slice(at + 1).some((later) => observing(later.kind) || later.kind === 'routing');
    const soak = { observers: regions, ms: goesOn ? soakMs : 0 };
    return {
      kind,
      stacks: taken.map(({ name }) => name),
      ...(first || soakMs === 0 || !observing(kind) ? {} : { soak }),
      watchDnsMs: !first && ['routing', 'firstCells', 'cells'].includes(kind) ? watchDnsMs : 0,
    };
  });
  const changing = groups.some(({ kind }) => kind === 'witness' || kind === 'standby');
  const young = stacks.filter(
    ({ kind, change, changedAtMs = 0 }) =>
      isObserver(kind) && change === 'same' && changedAtMs + soakMs > nowMs,
  );
  if (first || !changing || young.length === 0) return stages;
  const left = Math.max(...young.map(({ changedAtMs = 0 }) => changedAtMs + soakMs - nowMs));
  const rest = { observers: young.map(({ region }) => region), ms: Math.min(left, soakMs) };
  return [{ kind: 'soak', stacks: [], soak: rest, watchDnsMs: 0 }, ...stages];
}

export interface DeploymentPlan {
  /** Empty when the deployment may begin. */
  readonly refusals: readonly DeployRefusal[];
  /** Empty when it is refused, or nothing differs. */
  readonly stages: readonly Stage[];
}

/** What a deployment would do, or why it must not. @throws CircularStacksError */
export function planOf(
  stacks: readonly PlannedStack[],
  { facts, ...options }: StagesOptions & { readonly facts: DeploymentFacts },
): DeploymentPlan {
  const refusals = refusalsOf(facts);
  if (stacks.every(({ change }) => change === 'same')) {
    // Where nothing is to be done, only a stack that cannot be updated is worth a word.
    return { refusals: refusals.filter(({ rule }) => rule === 'stuckStack'), stages: [] };
  }
  return { refusals, stages: refusals.length > 0 ? [] : stagesOf(stacks, options) };
}
