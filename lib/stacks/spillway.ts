import { Annotations, type Environment, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { witnessStackName } from '../../lambda/core/names.ts';
import { checkedGroups } from '../config/checked-groups.ts';
import type { Config } from '../config/config.ts';
import { CONFIG_MARK, markOf } from '../config/config-mark.ts';
import { probedCells, WITHHELD_BECAUSE, WITHHELD_FIX } from '../config/probed-cells.ts';
import type { AskedHost } from '../constructs/public-endpoint.ts';
import { SWITCH_HOST } from '../deployments/given-hosts.ts';
import { type DataProtectionProps, protectData } from './data-protection.ts';
import { givenHosts } from './given-hosts.ts';
import { warnOfLoneKeys } from './lone-keys.ts';
import { cellStacks, placed, recordsOf } from './placement.ts';
import { PrimaryStack, StandbyStack, StreamsStack, WitnessStack } from './region-stacks.ts';
import { CellsStack, RoutingStack, SwitchesStack } from './routing-stacks.ts';

/** Cells that a warning names. */
const MOST_SHOWN = 5;

export interface SpillwayStacksProps extends DataProtectionProps {
  /**
   * The account of all stacks.
   *
   * @default - `CDK_DEFAULT_ACCOUNT`, else the account that is deployed to
   */
  readonly account?: string;
}

/**
 * Adds every stack of one config: primary, standby, witnesses, and the routing. The routing's stacks are in
 * the standby's region, away from the region that they route around.
 */
export function addSpillway(scope: Construct, config: Config, props: SpillwayStacksProps = {}): void {
  const { account = process.env.CDK_DEFAULT_ACCOUNT, ...protection } = props;
  const at = (region: string): Place => ({
    env: { region, ...(account === undefined ? {} : { account }) },
    region,
    config,
  });
  addStacks({ scope, config, at });
  for (const stack of scope.node.children) {
    if (stack instanceof Stack) protectData({ stack, region: stack.region, ...protection });
  }
}

interface Place {
  readonly env: Environment;
  readonly region: string;
  readonly config: Config;
}

interface Placing {
  readonly scope: Construct;
  readonly config: Config;
  readonly at: (region: string) => Place;
}

function addStacks({ scope, config, at }: Placing): void {
  const { name, regions } = config;
  new PrimaryStack(scope, `${name}-primary`, {
    ...at(regions.primary),
    description: 'Spillway: the canary and the streams of the primary region',
  });
  const standby = new StandbyStack(scope, `${name}-standby`, {
    ...at(regions.standby),
    description: 'Spillway: observer, state and switches in the standby region',
  });
  standby.node.addMetadata(CONFIG_MARK, markOf(config));
  warnOfWithheld(standby, config);
  warnOfLoneKeys(standby, config);
  const given = givenHosts(scope);
  const hostOf = (key: string, endpoint: AskedHost): AskedHost => {
    const host = given[key];
    return host === undefined ? endpoint : { domainName: host, given: true };
  };
  const votes = new Map<string, AskedHost>([[regions.standby, hostOf(regions.standby, standby.vote)]]);
  for (const region of regions.witnesses) {
    const witness = new WitnessStack(scope, witnessStackName(name, region), {
      ...at(region),
      description: 'Spillway: an observer',
    });
    votes.set(region, hostOf(region, witness.vote));
  }
  const routing = new RoutingStack(scope, `${name}-routing`, {
    ...at(regions.standby),
    description: 'Spillway: health checks over the votes and switches',
    votes,
  });
  const switches = hostOf(SWITCH_HOST, standby.switches);
  addCells({ scope, config, at, quorumId: routing.quorumId, switches });
}

/** Whoever allows probes should know before the deployment that some will not take place. Said once, not in each region. */
function warnOfWithheld(stack: Stack, { cells }: Config): void {
  const { withheld } = probedCells(cells);
  if (withheld.length === 0) return;
  const shown = `${withheld.slice(0, MOST_SHOWN).join(', ')}${withheld.length > MOST_SHOWN ? ', …' : ''}`;
  const text = `${withheld.length} cells are not probed, although the config allows it (${shown}): ${WITHHELD_BECAUSE}. ${WITHHELD_FIX}`;
  Annotations.of(stack).addWarningV2('spillway:probesWithheld', text);
}

interface CellsOptions extends Placing {
  readonly quorumId: string;
  readonly switches: AskedHost;
}

/**
 * Adds the stacks of cells. The names and switches of few cells are in one stack; many cells are spread over
 * stacks by their names.
 */
function addCells({ scope, config, at, quorumId, switches }: CellsOptions): void {
  const { name, regions, cells } = config;
  const stacks = cellStacks(config);
  const description = 'Spillway: the names of cells';
  const byCell = placed(cells, {
    stacks,
    nameOf: ({ name: cell }) => cell,
    resourcesOf: (cell) => 1 + recordsOf(cell),
  });
  if (stacks === 1) {
    new CellsStack(scope, `${name}-routing-cells-1`, {
      ...at(regions.standby),
      description,
      cells,
      quorumId,
      switches,
    });
    return;
  }
  // The number of stacks is part of their names: another number makes other stacks, and the present ones stay
  // as they are.
  const stackId = (what: string, stack: number): string => `${name}-${what}-${stack}-of-${stacks}`;
  const ids = new Map<string, string>();
  for (const { stack, items } of placed(checkedGroups(config), {
    stacks,
    nameOf: (group) => group,
    resourcesOf: () => 1,
  })) {
    const { ids: more } = new SwitchesStack(scope, stackId('routing-switches', stack), {
      ...at(regions.standby),
      description: 'Spillway: health checks over switches',
      groups: items,
      switches,
    });
    for (const [group, id] of more) ids.set(group, id);
  }
  for (const { stack, items } of byCell) {
    new CellsStack(scope, stackId('routing-cells', stack), {
      ...at(regions.standby),
      description,
      cells: items,
      quorumId,
      switches,
      switchIds: ids,
    });
    for (const role of ['primary', 'standby'] as const) {
      if (!items.some(({ streams }) => streams[role].create)) continue;
      new StreamsStack(scope, stackId(`${role}-streams`, stack), {
        ...at(regions[role]),
        description: `Spillway: streams of the ${role} region`,
        cells: items,
        role,
      });
    }
  }
}
