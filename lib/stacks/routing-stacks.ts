import { Stack, type StackProps } from 'aws-cdk-lib';
import type { CfnHealthCheck } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { evacuateMarker, regionRecordName, signalRecordName, votePath } from '../../lambda/core/names.ts';
import type { Role } from '../../lambda/core/role.ts';
import { formatSignal } from '../../lambda/core/signal.ts';
import { parseStreamArn } from '../../lambda/core/stream-arn.ts';
import type { Cell, Config, StreamSpec } from '../config/config.ts';
import { FailoverTree } from '../constructs/failover-tree.ts';
import { markerCheck, quorumCheck, VOTE_FAILURES } from '../constructs/health-checks.ts';
import { PublicEndpoint } from '../constructs/public-endpoint.ts';
import { SwitchChecks } from '../constructs/switch-checks.ts';
import { refuseBrokenRouting } from './routing-rules.ts';

const quoted = (text: string): string => `"${text}"`;

export interface RoutingStackProps extends StackProps {
  readonly config: Config;
  readonly votes: ReadonlyMap<string, PublicEndpoint>;
}

/** The stack with the votes' health checks, the quorum, and the record that follows the quorum alone. */
export class RoutingStack extends Stack {
  readonly quorumId: string;

  constructor(scope: Construct, id: string, props: RoutingStackProps) {
    super(scope, id, { ...props, stackName: id });
    const { config, votes } = props;
    const { name, delivery, zone, regions } = config;
    const intervalSeconds = delivery.healthCheckIntervalSeconds;
    const voteChecks: CfnHealthCheck[] = [...votes].map(([region, endpoint]) =>
      markerCheck(this, `Vote-${region}`, {
        name: `${name} vote ${region}`,
        domainName: endpoint.domainName,
        path: votePath,
        marker: evacuateMarker,
        failureThreshold: VOTE_FAILURES,
        intervalSeconds,
      }),
    );
    this.quorumId = quorumCheck(this, 'Quorum', {
      name: `${name} quorum`,
      votes: voteChecks,
      votesToEvacuate: config.policy.votesToEvacuate,
    }).attrHealthCheckId;
    new FailoverTree(this, 'Region', {
      zone,
      name: regionRecordName(zone.name),
      type: 'TXT',
      ttlSeconds: delivery.dnsTtlSeconds,
      primary: [quoted(formatSignal({ region: regions.primary }))],
      standby: [quoted(formatSignal({ region: regions.standby }))],
      quorumId: this.quorumId,
    });
    refuseBrokenRouting(this);
  }
}

export interface SwitchesStackProps extends StackProps {
  readonly config: Config;
  readonly groups: readonly string[];
  readonly switches: PublicEndpoint;
}

/** A stack with the health checks of some switches. */
export class SwitchesStack extends Stack {
  readonly ids: ReadonlyMap<string, string>;

  constructor(scope: Construct, id: string, props: SwitchesStackProps) {
    super(scope, id, { ...props, stackName: id });
    const { config, groups, switches } = props;
    this.ids = new SwitchChecks(this, 'Switch', { config, groups, endpoint: switches }).ids;
    refuseBrokenRouting(this);
  }
}

export interface CellsStackProps extends StackProps {
  readonly config: Config;
  readonly cells: readonly Cell[];
  readonly quorumId: string;
  /**
   * Ids of the switches' checks, by group; or the switches' endpoint, to create their checks in this stack.
   */
  readonly switches: ReadonlyMap<string, string> | PublicEndpoint;
}

/** A stack with the names of some cells. */
export class CellsStack extends Stack {
  constructor(scope: Construct, id: string, props: CellsStackProps) {
    super(scope, id, { ...props, stackName: id });
    const { config, cells, switches } = props;
    const groups = [...new Set(cells.map(({ group }) => group))];
    const ids =
      switches instanceof PublicEndpoint
        ? new SwitchChecks(this, 'Switch', { config, groups, endpoint: switches }).ids
        : switches;
    for (const cell of cells) this.#addCell(cell, props, ids.get(cell.group));
    refuseBrokenRouting(this);
  }

  #addCell(cell: Cell, { config, quorumId }: CellsStackProps, switchId: string | undefined): void {
    const { zone, regions, delivery } = config;
    const tree = {
      zone,
      ttlSeconds: delivery.dnsTtlSeconds,
      quorumId,
      ...(switchId === undefined ? {} : { switchId }),
    };
    const signal = (role: Role): string[] => [quoted(signalOf(regions[role], cell.streams[role]))];
    new FailoverTree(this, `Signal-${cell.name}`, {
      ...tree,
      name: signalRecordName(cell.name, zone.name),
      type: 'TXT',
      primary: signal('primary'),
      standby: signal('standby'),
    });
    for (const { name, type, primary, standby } of cell.services) {
      new FailoverTree(this, `Service-${name}-${type}`, {
        ...tree,
        name: `${name}.${zone.name}`,
        type,
        primary,
        standby,
      });
    }
  }
}

/** Producers of another account than the stream's need its account as well. */
function signalOf(region: string, { name: stream, arn }: StreamSpec): string {
  const account = arn === undefined ? undefined : parseStreamArn(arn)?.account;
  return formatSignal({ region, stream, ...(account === undefined ? {} : { account }) });
}
