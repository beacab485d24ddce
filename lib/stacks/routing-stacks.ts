import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { VOTE_FAILURES } from '../../lambda/core/deployment.ts';
import {
  evacuateMarker,
  formerRegionRecordName,
  regionRecordName,
  signalRecordName,
  votePath,
} from '../../lambda/core/names.ts';
import type { Role } from '../../lambda/core/role.ts';
import { formatSignal } from '../../lambda/core/signal.ts';
import { parseStreamArn } from '../../lambda/core/stream-arn.ts';
import { checkedGroups } from '../config/checked-groups.ts';
import type { Cell, Config, StreamSpec } from '../config/config.ts';
import { FailoverTree } from '../constructs/failover-tree.ts';
import { GuardedStack } from '../constructs/guard.ts';
import { markerCheck, quorumCheck } from '../constructs/health-checks.ts';
import type { AskedHost } from '../constructs/public-endpoint.ts';
import { SwitchChecks } from '../constructs/switch-checks.ts';
import type { Guarded } from '../settings/guard.ts';
import { refuseBrokenRouting } from './routing-rules.ts';

/** Names that were given make the guard look again, whatever CloudFormation thinks of a reference. */
const givenAmong = (hosts: readonly AskedHost[]): Pick<Extract<Guarded, { Kind: 'votes' }>, 'GivenHosts'> => {
  const given = hosts.flatMap((host) => (host.given === true ? [host.domainName] : []));
  return given.length === 0 ? {} : { GivenHosts: given };
};

const quoted = (text: string): string => `"${text}"`;

export interface RoutingStackProps extends StackProps {
  readonly config: Config;
  readonly votes: ReadonlyMap<string, AskedHost>;
}

/** The stack with the votes' health checks, the quorum, and the record that follows the quorum alone. */
export class RoutingStack extends Stack {
  readonly quorumId: string;

  constructor(scope: Construct, id: string, props: RoutingStackProps) {
    super(scope, id, { ...props, stackName: id });
    const { config, votes } = props;
    const { name, delivery, zone, regions } = config;
    const intervalSeconds = delivery.healthCheckIntervalSeconds;
    const voteChecks = [...votes].map(([region, host]) => ({
      region,
      host: host.domainName,
      check: markerCheck(this, `Vote-${region}`, {
        name: `${name} vote ${region}`,
        host,
        path: votePath,
        marker: evacuateMarker,
        failureThreshold: VOTE_FAILURES,
        intervalSeconds,
      }),
    }));
    const quorum = quorumCheck(this, 'Quorum', {
      name: `${name} quorum`,
      votes: voteChecks.map(({ check }) => check),
      votesToEvacuate: config.policy.votesToEvacuate,
    });
    this.quorumId = quorum.attrHealthCheckId;
    new GuardedStack(this, 'Guard', {
      name,
      standby: regions.standby,
      guarded: {
        Kind: 'votes',
        IntervalSeconds: intervalSeconds,
        VotesToEvacuate: config.policy.votesToEvacuate,
        Votes: voteChecks.map(({ region, host, check }) => ({
          Region: region,
          Host: host,
          CheckId: check.attrHealthCheckId,
        })),
        ...givenAmong([...votes.values()]),
      },
      before: [quorum],
    });
    const region = {
      zone,
      type: 'TXT',
      ttlSeconds: delivery.dnsTtlSeconds,
      primary: [quoted(formatSignal({ region: regions.primary }))],
      standby: [quoted(formatSignal({ region: regions.standby }))],
      quorumId: this.quorumId,
    } as const;
    new FailoverTree(this, 'NamedRegion', { ...region, name: regionRecordName(name, zone.name) });
    // Under the id that it has always had, so that a deployment does not touch what is kept.
    if (zone.keepRegionRecord === true) {
      new FailoverTree(this, 'Region', { ...region, name: formerRegionRecordName(zone.name) });
    }
    refuseBrokenRouting(this);
  }
}

export interface SwitchesStackProps extends StackProps {
  readonly config: Config;
  readonly groups: readonly string[];
  readonly switches: AskedHost;
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
  readonly switches: AskedHost;
  /** Ids of the switches' checks, by group. Absent: this stack creates them. */
  readonly switchIds?: ReadonlyMap<string, string>;
}

/** A stack with the names of some cells. */
export class CellsStack extends Stack {
  constructor(scope: Construct, id: string, props: CellsStackProps) {
    super(scope, id, { ...props, stackName: id });
    const { config, cells, switches, switchIds } = props;
    const groups = [...new Set(cells.map(({ group }) => group))];
    const checked = checkedGroups(config);
    const ids =
      switchIds ?? new SwitchChecks(this, 'Switch', { config, groups: checked, endpoint: switches }).ids;
    const trees = cells.flatMap((cell) => this.#addCell(cell, props, ids.get(cell.group)));
    new GuardedStack(this, 'Guard', {
      name: config.name,
      standby: config.regions.standby,
      guarded: {
        Kind: 'cells',
        IntervalSeconds: config.delivery.healthCheckIntervalSeconds,
        Stack: id,
        Cells: cells.map(({ name, group }) => ({ Cell: name, Group: group })),
        Switches: groups.flatMap((group) => {
          const checkId = ids.get(group);
          return checkId === undefined ? [] : [{ Group: group, Host: switches.domainName, CheckId: checkId }];
        }),
        ...givenAmong([switches]),
      },
      before: trees,
    });
    refuseBrokenRouting(this);
  }

  #addCell(cell: Cell, { config, quorumId }: CellsStackProps, switchId: string | undefined): FailoverTree[] {
    const { zone, regions, delivery } = config;
    const tree = {
      zone,
      ttlSeconds: delivery.dnsTtlSeconds,
      quorumId,
      ...(switchId === undefined ? {} : { switchId }),
    };
    const signal = (role: Role): string[] => [quoted(signalOf(regions[role], cell.streams[role]))];
    const signalTree = new FailoverTree(this, `Signal-${cell.name}`, {
      ...tree,
      name: signalRecordName(cell.name, zone.name),
      type: 'TXT',
      primary: signal('primary'),
      standby: signal('standby'),
    });
    const services = cell.services.map(
      ({ name, type, primary, standby }) =>
        new FailoverTree(this, `Service-${name}-${type}`, {
          ...tree,
          name: `${name}.${zone.name}`,
          type,
          primary,
          standby,
        }),
    );
    return [signalTree, ...services];
  }
}

/** Producers of another account than the stream's need its account as well. */
function signalOf(region: string, { name: stream, arn }: StreamSpec): string {
  const account = arn === undefined ? undefined : parseStreamArn(arn)?.account;
  return formatSignal({ region, stream, ...(account === undefined ? {} : { account }) });
}
