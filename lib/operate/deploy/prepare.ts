import { untilDataMs } from '../../../lambda/core/deployment.ts';
import { witnessStackName } from '../../../lambda/core/names.ts';
import type { Role } from '../../../lambda/core/role.ts';
import type { Config } from '../../config/config.ts';
import type { PublicName } from '../../deployments/answers.ts';
import { type DeploymentPlan, planOf } from '../../deployments/plan.ts';
import { cellsThatGo, type DeploymentFacts } from '../../deployments/refusals.ts';
import { UsageError } from '../errors.ts';
import { named } from '../named.ts';
import type { Comparison } from './compare.ts';
import { type LookOptions, look } from './look.ts';
import { askNames, keptNames, rolesOf } from './names.ts';
import type { DeployedStack } from './stacks.ts';

export interface Prepared extends DeploymentPlan {
  readonly comparisons: readonly Comparison[];
  readonly deployed: ReadonlyMap<string, DeployedStack>;
  /** What else is worth knowing before consent. */
  readonly notes: readonly string[];
  /** Names that must go on answering for their region. */
  readonly names: ReadonlyMap<string, readonly PublicName[]>;
  readonly before: ReadonlyMap<string, Role>;
}

export interface PrepareOptions extends LookOptions {
  readonly dnsServers: readonly string[] | undefined;
  readonly soakMs: number;
  /** How long DNS is watched after checks or records have changed. @default - until checks and caches have followed */
  readonly settleMs: number | undefined;
}

/** Of a switch’s check, which takes longest to change its mind. */
const FAILURE_THRESHOLD = 3;

/** How long an answer may take to follow a deployment: checks that look often enough, and the caches. */
export const settledMs = ({ delivery }: Config): number =>
  untilDataMs({
    intervalSeconds: delivery.healthCheckIntervalSeconds,
    failureThreshold: FAILURE_THRESHOLD,
  }) +
  delivery.dnsTtlSeconds * 1_000;

/** Looks at everything, and plans. Changes nothing. */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const { config, dnsServers, soakMs, settleMs, allowRemoval, nowMs } = options;
  const { comparisons, facts, deployed } = await look(options);
  const unknown = allowRemoval.find((cell) => !cellsThatGo(facts).includes(cell));
  if (unknown !== undefined) {
    throw new UsageError(`--allow-removal ${unknown}: this deployment removes no cell of that name.`);
  }
  const names = keptNames(comparisons);
  const before = rolesOf(names, await askNames(names, dnsServers));
  const plan = planOf(comparisons, {
    facts: { ...facts, unread: [...facts.unread, ...unreadNames(names, before)] },
    soakMs,
    watchDnsMs: settleMs ?? settledMs(config),
    nowMs: nowMs(),
  });
  const observersChange = comparisons.some(
    ({ change, changesObserver }) => change === 'changed' && changesObserver,
  );
  return {
    ...plan,
    comparisons,
    deployed,
    names,
    before,
    notes: notesOf({ config, facts, names, before, unwatched: soakMs === 0 && observersChange }),
  };
}

/** Without any answer, nobody would see a name move. */
function unreadNames(
  names: ReadonlyMap<string, unknown>,
  before: ReadonlyMap<string, Role>,
): DeploymentFacts['unread'] {
  if (names.size === 0 || before.size > 0) return [];
  return [
    {
      what: 'DNS',
      problem: `none of the ${names.size} names that are deployed answers for one of the regions; give servers that know the zone by --dns`,
    },
  ];
}

function notesOf({
  config,
  facts,
  names,
  before,
  unwatched,
}: {
  readonly config: Config;
  readonly facts: DeploymentFacts;
  readonly names: ReadonlyMap<string, readonly PublicName[]>;
  readonly before: ReadonlyMap<string, Role>;
  readonly unwatched: boolean;
}): readonly string[] {
  const { guarded, said, stacks } = facts;
  const gone = cellsThatGo(facts);
  const unseen = [...names.keys()].filter((key) => !before.has(key));
  const silent = [...said].flatMap(([region, vote]) => {
    const isDeployed = stacks.some((stack) => stack.region === region && stack.before !== undefined);
    return vote === 'silent' && isDeployed ? [region] : [];
  });
  const regions = new Set([config.regions.standby, ...config.regions.witnesses]);
  const former =
    guarded === 'absent'
      ? []
      : [...(guarded.votes?.votes.keys() ?? [])].filter((region) => !regions.has(region));
  return [
    ...(gone.length === 0 ? [] : [`these cells go, and their names stop answering: ${named(gone)}`]),
    ...(unseen.length === 0 || before.size === 0
      ? []
      : [`${unseen.length} names do not say their region now, and are not watched: ${named(unseen)}`]),
    ...(silent.length === 0 ? [] : [`observers that cannot be read now: ${named(silent)}`]),
    ...former.map(
      (region) =>
        `the vote of ${region} no longer counts; its stack stays until \`npx cdk destroy ${witnessStackName(config.name, region)}\` with the former config`,
    ),
    ...(unwatched ? ['--soak 0s: observers change one after the other without being watched'] : []),
  ];
}
