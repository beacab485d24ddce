import type { App, Environment } from 'aws-cdk-lib';
import type { Config } from '../config/config.ts';
import type { PublicEndpoint } from '../constructs/public-endpoint.ts';
import { PrimaryStack, StandbyStack, WitnessStack } from './region-stacks.ts';
import { CellsStack, cellsPerStack, RoutingStack } from './routing-stacks.ts';

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
    switches: standby.switches,
  });
  cellsPerStack(config.cells).forEach((cells, index) => {
    new CellsStack(app, `${name}-routing-cells-${index + 1}`, {
      ...at(regions.standby),
      description: 'Spillway: the names of cells',
      cells,
      routing,
    });
  });
}
