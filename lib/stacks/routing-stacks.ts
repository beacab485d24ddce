import { Stack, type StackProps } from 'aws-cdk-lib';
import type { CfnHealthCheck } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import {
  evacuateMarker,
  regionRecordName,
  signalRecordName,
  standbyMarker,
  switchPath,
  votePath,
} from '../../lambda/core/names.ts';
import { formatSignal } from '../../lambda/core/signal.ts';
import type { Cell, Config } from '../config/config.ts';
import { FailoverTree, RECORDS_PER_TREE } from '../constructs/failover-tree.ts';
import { markerCheck, quorumCheck, SWITCH_FAILURES, VOTE_FAILURES } from '../constructs/health-checks.ts';
import type { PublicEndpoint } from '../constructs/public-endpoint.ts';
import { switchGroups } from './region-stacks.ts';
import { refuseBrokenRouting } from './routing-rules.ts';

/** CloudFormation takes 500 resources in a stack; some room is left for metadata. */
const MAX_RECORDS_PER_STACK = 450;

const quoted = (text: string): string => `"${text}"`;

export interface RoutingStackProps extends StackProps {
  readonly config: Config;
  readonly votes: ReadonlyMap<string, PublicEndpoint>;
  readonly switches: PublicEndpoint;
}

/** The health checks, and the record that follows the quorum alone. */
export class RoutingStack extends Stack {
  readonly quorumId: string;
  readonly switchIds: ReadonlyMap<string, string>;

  constructor(scope: Construct, id: string, props: RoutingStackProps) {
    super(scope, id, props);
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
    this.switchIds = new Map(
      switchGroups(config).map((group) => {
        const check = markerCheck(this, `Switch-${group}`, {
          name: `${name} switch ${group}`,
          domainName: props.switches.domainName,
          path: switchPath(group),
          marker: standbyMarker,
          failureThreshold: SWITCH_FAILURES,
          intervalSeconds,
        });
        return [group, check.attrHealthCheckId];
      }),
    );
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

export interface CellsStackProps extends StackProps {
  readonly config: Config;
  readonly cells: readonly Cell[];
  readonly routing: RoutingStack;
}

/** The names of some cells. */
export class CellsStack extends Stack {
  constructor(scope: Construct, id: string, props: CellsStackProps) {
    super(scope, id, props);
    for (const cell of props.cells) this.#addCell(cell, props);
    refuseBrokenRouting(this);
  }

  #addCell(cell: Cell, { config, routing }: CellsStackProps): void {
    const { zone, regions, delivery } = config;
    const switchId = routing.switchIds.get(cell.group);
    const tree = {
      zone,
      ttlSeconds: delivery.dnsTtlSeconds,
      quorumId: routing.quorumId,
      ...(switchId === undefined ? {} : { switchId }),
    };
    const signal = (role: 'primary' | 'standby'): string[] => [
      quoted(formatSignal({ region: regions[role], stream: cell.streams[role].name })),
    ];
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

/** Cells in order, cut so that each part fits a stack. */
export function cellsPerStack(cells: readonly Cell[]): readonly (readonly Cell[])[] {
  const parts: Cell[][] = [];
  let records = Number.POSITIVE_INFINITY;
  for (const cell of cells) {
    const more = RECORDS_PER_TREE * (1 + cell.services.length);
    if (records + more > MAX_RECORDS_PER_STACK) {
      parts.push([]);
      records = 0;
    }
    parts.at(-1)?.push(cell);
    records += more;
  }
  return parts;
}
