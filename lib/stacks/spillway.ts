import type { App, Environment } from 'aws-cdk-lib';
import type { Config } from '../config/config.ts';
import type { PublicEndpoint } from '../constructs/public-endpoint.ts';
import { groupsOf } from '../settings/cells-file.ts';
import { cellStacks, placed, recordsOf } from './placement.ts';
import { PrimaryStack, StandbyStack, StreamsStack, WitnessStack } from './region-stacks.ts';
import { CellsStack, RoutingStack, SwitchesStack } from './routing-stacks.ts';

/**
 * Adds every stack of one config: primary, standby, witnesses, and the routing. The routing's stacks are kept in the
 * standby's region, away from what they route around.
 */
export function addSpillway(app: App, config: Config): void {
  const { name, regions } = config;
  const account = process.env.CDK_DEFAULT_ACCOUNT;
  const at = (region: string): { env: Environment; region: string; config: Config } => ({
    env: { region, ...(account === undefined ? {} : { account }) },
    region,
    config,
  });
  new PrimaryStack(app, `${name}-primary`, {
    ...at(regions.primary),
    description: 'Spillway: the canary and the streams of the primary region',
  });
  const standby = new StandbyStack(app, `${name}-standby`, {
    ...at(regions.standby),
    description: 'Spillway: observer, state and switches in the standby region',
  });
  const votes = new Map<string, PublicEndpoint>([[regions.standby, standby.vote]]);
  for (const region of regions.witnesses) {
    const witness = new WitnessStack(app, `${name}-witness-${region}`, {
      ...at(region),
      description: 'Spillway: an observer',
    });
    votes.set(region, witness.vote);
  }
  const routing = new RoutingStack(app, `${name}-routing`, {
    ...at(regions.standby),
    description: 'Spillway: health checks over the votes and switches',
    votes,
  });
  addCells(app, { config, at, quorumId: routing.quorumId, switches: standby.switches });
}

interface CellsOptions {
  readonly config: Config;
  readonly at: (region: string) => {
    readonly env: Environment;
    readonly region: string;
    readonly config: Config;
  };
  readonly quorumId: string;
  readonly switches: PublicEndpoint;
}

/** Few cells have their names and switches in one stack; many are spread over stacks by their own names. */
function addCells(app: App, { config, at, quorumId, switches }: CellsOptions): void {
  const { name, regions, cells } = config;
  const stacks = cellStacks(config);
  const description = 'Spillway: the names of cells';
  const byCell = placed(cells, {
    stacks,
    nameOf: ({ name: cell }) => cell,
    resourcesOf: (cell) => 1 + recordsOf(cell),
  });
  if (stacks === 1) {
    new CellsStack(app, `${name}-routing-cells-1`, {
      ...at(regions.standby),
      description,
      cells,
      quorumId,
      switches,
    });
    return;
  }
  // The number of stacks is part of their names: another number is other stacks, and these stay as they are.
  const stackId = (what: string, stack: number): string => `${name}-${what}-${stack}-of-${stacks}`;
  const ids = new Map<string, string>();
  for (const { stack, items } of placed(groupsOf(config.cells), {
    stacks,
    nameOf: (group) => group,
    resourcesOf: () => 1,
  })) {
    const { ids: more } = new SwitchesStack(app, stackId('routing-switches', stack), {
      ...at(regions.standby),
      description: 'Spillway: health checks over switches',
      groups: items,
      switches,
    });
    for (const [group, id] of more) ids.set(group, id);
  }
  for (const { stack, items } of byCell) {
    new CellsStack(app, stackId('routing-cells', stack), {
      ...at(regions.standby),
      description,
      cells: items,
      quorumId,
      switches: ids,
    });
    for (const role of ['primary', 'standby'] as const) {
      if (!items.some(({ streams }) => streams[role].create)) continue;
      new StreamsStack(app, stackId(`${role}-streams`, stack), {
        ...at(regions[role]),
        description: `Spillway: streams of the ${role} region`,
        cells: items,
        role,
      });
    }
  }
}
