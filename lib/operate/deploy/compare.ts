import { isDeepStrictEqual } from 'node:util';
import { changesObserver } from '../../deployments/effects.ts';
import { SWITCH_HOST, withoutGiven } from '../../deployments/given-hosts.ts';
import type { PlannedStack, StackChange } from '../../deployments/plan.ts';
import type { ComparedStack } from '../../deployments/refusals.ts';
import { asksHosts, isObserver } from '../../deployments/stack-kinds.ts';
import {
  diffOf,
  isEmpty,
  type OutputsOf,
  type TemplateDiff,
  withOutputs,
} from '../../deployments/template.ts';
import type { Deployed } from '../../state/deployed-table.ts';
import type { SynthesisedStack } from './assembly.ts';
import type { DeployedStack } from './stacks.ts';

export interface Comparison extends PlannedStack, ComparedStack {
  readonly selector: string;
  readonly diff: TemplateDiff;
}

/** An endpoint whose check asks a host that is not the endpoint’s any more. */
export interface StaleHost {
  /** Region of a vote, or `switch`. */
  readonly of: string;
  readonly stored: string;
  /** Undefined: the stack with the endpoint is not deployed now. */
  readonly now: string | undefined;
}

export interface CompareOptions {
  readonly made: readonly SynthesisedStack[];
  readonly deployed: ReadonlyMap<string, DeployedStack>;
  readonly guarded: Deployed | 'absent';
  readonly standby: string;
}

/** Pure: what of each stack is to be deployed. */
export function compare({ made, deployed, guarded, standby }: CompareOptions): readonly Comparison[] {
  const outputs: OutputsOf = new Map([...deployed].map(([name, stack]) => [name, stack.outputs]));
  const stale = staleHosts({ made, deployed, guarded, standby });
  return made.map((stack) => {
    const is = deployed.get(stack.name);
    const before = is?.template === undefined ? undefined : withoutGiven(withOutputs(is.template, outputs));
    const after = withoutGiven(withOutputs(stack.template, outputs));
    const diff = diffOf(before, after);
    const tagged = is !== undefined && !sameTags(is.tags, stack.tags);
    const change = changeOf({ exists: before !== undefined, differs: tagged || !isEmpty(diff) });
    return {
      ...stack,
      before,
      after,
      status: is?.status,
      diff,
      change: change === 'same' && asksStale(stack, stale) ? 'rehosted' : change,
      changesObserver: isObserver(stack.kind) && diff.resources.some(changesObserver),
      ...(is === undefined ? {} : { changedAtMs: is.changedAtMs }),
    };
  });
}

const changeOf = ({
  exists,
  differs,
}: {
  readonly exists: boolean;
  readonly differs: boolean;
}): StackChange => (exists ? (differs ? 'changed' : 'same') : 'new');

/** CloudFormation adds tags of its own, which begin with `aws:`. */
const sameTags = (is: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean =>
  isDeepStrictEqual(
    Object.fromEntries(Object.entries(is).filter(([key]) => !key.startsWith('aws:'))),
    wanted,
  );

/**
 * Endpoints that were destroyed and deployed again, or are destroyed now: their checks ask a name that nobody
 * has any more.
 */
export function staleHosts({ made, deployed, guarded, standby }: CompareOptions): readonly StaleHost[] {
  if (guarded === 'absent') return [];
  const hostOf = (region: string, output: string): string | undefined => {
    const stack = made.find((each) => isObserver(each.kind) && each.region === region);
    return stack === undefined ? undefined : deployed.get(stack.name)?.outputs[output];
  };
  const isMade = (region: string): boolean =>
    made.some((stack) => isObserver(stack.kind) && stack.region === region);
  const votes = [...(guarded.votes?.votes ?? [])].flatMap(([region, { host }]) => {
    const now = hostOf(region, 'VoteHostName');
    // An observer that the config does not have any more has no vote any more, either.
    return !isMade(region) || isCurrent(host, now, deployed, made, region)
      ? []
      : [{ of: region, stored: host, now }];
  });
  const now = hostOf(standby, 'SwitchHostName');
  const stored = [...new Set([...guarded.switches.switches.values()].map(({ host }) => host))];
  const switches = stored
    .filter((host) => !isCurrent(host, now, deployed, made, standby))
    .map((host) => ({ of: SWITCH_HOST, stored: host, now }));
  return [...votes, ...switches.slice(0, 1)];
}

/** A stack that is deployed, but by a version without that output, says nothing about its host. */
function isCurrent(
  stored: string,
  now: string | undefined,
  deployed: ReadonlyMap<string, DeployedStack>,
  made: readonly SynthesisedStack[],
  region: string,
): boolean {
  if (now !== undefined) return now === stored;
  const stack = made.find((each) => isObserver(each.kind) && each.region === region);
  return stack !== undefined && deployed.get(stack.name)?.template !== undefined;
}

const asksStale = ({ kind }: SynthesisedStack, stale: readonly StaleHost[]): boolean =>
  asksHosts(kind) && stale.some(({ of }) => (of === SWITCH_HOST) === (kind !== 'routing'));

/** Hosts that are known now, for those that are stale. */
export const hostsToGive = (stale: readonly StaleHost[]): Readonly<Record<string, string>> =>
  Object.fromEntries(stale.flatMap(({ of, now }) => (now === undefined ? [] : [[of, now] as const])));
