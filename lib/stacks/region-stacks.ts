import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Config } from '../config/config.ts';
import { Observer } from '../constructs/observer.ts';
import type { PublicEndpoint } from '../constructs/public-endpoint.ts';
import { Streams } from '../constructs/streams.ts';
import { Switches } from '../constructs/switches.ts';

export interface RegionStackProps extends StackProps {
  readonly config: Config;
  readonly region: string;
}

/** The primary holds nothing that a failover needs: our canary, and the streams that cells asked for. */
export class PrimaryStack extends Stack {
  constructor(scope: Construct, id: string, props: RegionStackProps) {
    super(scope, id, props);
    new Streams(this, 'Streams', { config: props.config, role: 'primary' });
  }
}

/** A region that observes and votes. */
export class WitnessStack extends Stack {
  readonly vote: PublicEndpoint;

  constructor(scope: Construct, id: string, props: RegionStackProps) {
    super(scope, id, props);
    this.vote = observe(this, props);
  }
}

/** The standby observes as well, and keeps the state. */
export class StandbyStack extends Stack {
  readonly vote: PublicEndpoint;
  readonly switches: PublicEndpoint;

  constructor(scope: Construct, id: string, props: RegionStackProps) {
    super(scope, id, props);
    const { config } = props;
    new Streams(this, 'Streams', { config, role: 'standby' });
    this.vote = observe(this, props);
    this.switches = new Switches(this, 'Switches', {
      name: config.name,
      groups: switchGroups(config),
    }).endpoint;
  }
}

/** Every group of cells once, in the order of the config. */
export function switchGroups(config: Config): readonly string[] {
  return [...new Set(config.cells.map((cell) => cell.group))];
}

function observe(stack: Stack, { config, region }: RegionStackProps): PublicEndpoint {
  const { primary, standby } = config.regions;
  const observer = new Observer(stack, 'Observer', {
    name: config.name,
    region,
    primary,
    standby,
    zoneName: config.zone.name,
    switchGroups: switchGroups(config).length,
    policy: config.policy,
  });
  return observer.endpoint;
}
