import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { phaseOf } from '../../lambda/core/phase.ts';
import type { RecurringWork } from '../../lambda/core/recurring.ts';
import type { Role } from '../../lambda/core/role.ts';
import { checkedGroups } from '../config/checked-groups.ts';
import { switchReserve } from '../config/concurrency.ts';
import { type Cell, type Config, observerRegions } from '../config/config.ts';
import { inForce, pairOf } from '../config/probed-cells.ts';
import { streamKeys } from '../config/stream-keys.ts';
import { surveyedConsumers } from '../config/surveyed-consumers.ts';
import { Alarms } from '../constructs/alarms.ts';
import { Beacons } from '../constructs/beacons.ts';
import { Conductor } from '../constructs/conductor.ts';
import { Dashboard } from '../constructs/dashboard.ts';
import { Drill } from '../constructs/drill.ts';
import { Guard, GuardedStack } from '../constructs/guard.ts';
import { Monitor } from '../constructs/monitor.ts';
import { Notifications } from '../constructs/notifications.ts';
import { Observer } from '../constructs/observer.ts';
import type { PublicEndpoint } from '../constructs/public-endpoint.ts';
import { SpillwayFunction } from '../constructs/spillway-function.ts';
import { CanaryStream, CellStreams } from '../constructs/streams.ts';
import { Survey } from '../constructs/survey.ts';
import { Switches } from '../constructs/switches.ts';
import { drillTargetOf } from '../live-drill/target.ts';
import { type DeployedCell, groupsOf, watchedStreams } from '../settings/cells-file.ts';
import { watchedCells } from '../settings/watched-cells.ts';
import { cellStacks } from './placement.ts';

export interface RegionStackProps extends StackProps {
  readonly config: Config;
  readonly region: string;
}

/**
 * The stack of the primary, which holds nothing that a failover needs: Spillway's canary stream, and the
 * streams created for cells.
 */
export class PrimaryStack extends Stack {
  constructor(scope: Construct, id: string, props: RegionStackProps) {
    super(scope, id, { ...props, stackName: id });
    addStreams(this, props.config, 'primary');
  }
}

/**
 * The stack of a region that observes and votes, with the alarms that must fire when the standby, where all
 * other alarms are, fails.
 */
export class WitnessStack extends Stack {
  readonly vote: PublicEndpoint;

  constructor(scope: Construct, id: string, props: RegionStackProps) {
    super(scope, id, { ...props, stackName: id });
    const { config, region } = props;
    this.vote = observe(this, props);
    const { topic } = new Notifications(this, 'Notifications', config);
    new Alarms(this, 'Alarms', { config, region, topic });
  }
}

/** The stack of the standby, which also observes, keeps the state, and monitors everything. */
export class StandbyStack extends Stack {
  readonly vote: PublicEndpoint;
  readonly switches: PublicEndpoint;
  readonly #switches: Switches;

  constructor(scope: Construct, id: string, props: RegionStackProps) {
    super(scope, id, { ...props, stackName: id });
    const { config, region } = props;
    addStreams(this, config, 'standby');
    const { name, regions, zone, policy, notify } = config;
    const cells = deployedCells(config);
    const { topic } = new Notifications(this, 'Notifications', { name, notify });
    const deployment = {
      name,
      primary: regions.primary,
      standby: regions.standby,
      observers: [...observerRegions(regions)],
      zoneName: zone.name,
      policy: { ...policy, siblingProbes: [...policy.siblingProbes] },
    };
    const conductor = new Conductor(this, 'Conductor', {
      settings: { ...deployment, webhook: notify.webhook },
      cells,
      keys: streamKeys(watchedCells(config), ['standby']),
      topic,
      config,
    });
    this.vote = observe(this, props, conductor.machine.stateMachineArn);
    if (config.beacons !== undefined) new Beacons(this, 'Beacons', { name });
    const concurrency = switchReserve(groupsOf(cells).length, config.delivery.switchConcurrency);
    this.#switches = new Switches(this, 'Switches', { name, cells, concurrency });
    this.switches = this.#switches.endpoint;
    const expected: RecurringWork[] =
      config.monitoring.drillOverdueDays === undefined ? ['survey'] : ['survey', 'drill'];
    const guard = new Guard(this, 'Guard', { name, standby: regions.standby });
    new Monitor(this, 'Monitor', { cells, settings: { ...deployment, expected } });
    new Survey(this, 'Survey', {
      settings: { name, primary: regions.primary, standby: regions.standby },
      // CloudWatch has no metrics of other accounts' streams here.
      cells: surveyedConsumers(config.cells).map(({ name: cell, streams, consumers }) => ({
        cell,
        streams: { primary: streams.primary.name, standby: streams.standby.name },
        ...(consumers === undefined ? {} : { consumers }),
      })),
      config,
    });
    if (config.drill !== undefined) {
      new Drill(this, 'Drill', {
        target: drillTargetOf(config),
        schedule: config.drill.schedule,
        conductorArn: conductor.machine.stateMachineArn,
        keys: streamKeys(config.cells.filter(({ name: cell }) => cell === config.drill?.cell)),
      });
    }
    const { alarms } = new Alarms(this, 'Alarms', { config, region, topic });
    if (config.monitoring.dashboard) {
      new Dashboard(this, 'Dashboard', { config, region, alarms, streams: watchedStreams(cells) });
    }
    this.#guard(guard, config);
  }

  /** The functions know the groups, too: a change that the records may not follow stops before the functions have it. */
  #guard(guard: Guard, config: Config): void {
    const cellsOf = (group: string): string =>
      config.cells.flatMap((cell) => (cell.group === group ? [cell.name] : [])).join(' ');
    const functions = this.node.findAll().filter((one) => one instanceof SpillwayFunction);
    new GuardedStack(this, 'Groups', {
      ...guard.settings,
      guarded: {
        Kind: 'groups',
        Groups: Object.fromEntries(checkedGroups(config).map((group) => [group, cellsOf(group)])),
        ...(cellStacks(config) === 1
          ? {}
          : { ApartIntervalSeconds: config.delivery.healthCheckIntervalSeconds }),
      },
      after: [guard, this.#switches.table],
      before: functions.filter((one) => one.node.scope !== guard).map(({ lambda }) => lambda),
    });
  }
}

export interface StreamsStackProps extends RegionStackProps {
  readonly cells: readonly Cell[];
  readonly role: Role;
}

/** Streams of some cells, where there are too many for the stack of their region. */
export class StreamsStack extends Stack {
  constructor(scope: Construct, id: string, props: StreamsStackProps) {
    super(scope, id, { ...props, stackName: id });
    new CellStreams(this, 'Streams', props);
  }
}

function addStreams(stack: Stack, config: Config, role: Role): void {
  new CanaryStream(stack, 'Canary', { name: config.name, role });
  new CellStreams(stack, 'Streams', { cells: cellStacks(config) === 1 ? config.cells : [], role });
}

/** What the functions know about the cells. */
function deployedCells(config: Config): readonly DeployedCell[] {
  const watched = new Set(watchedCells(config).map(({ name }) => name));
  return inForce(config.cells).map(({ name, group, streams, probe, mode, consumers }) => ({
    cell: name,
    group,
    stream: streams.standby.name,
    primaryStream: streams.primary.name,
    ...(streams.standby.arn === undefined ? {} : { streamArn: streams.standby.arn }),
    probe,
    ...(mode === undefined ? {} : { mode }),
    // The conductor looks at these cells alone.
    ...(consumers === undefined || !watched.has(name)
      ? {}
      : { consumers: consumers.map((one) => ({ kind: one.kind, name: one.name.standby })) }),
  }));
}

function observe(stack: Stack, { config, region }: RegionStackProps, conductorArn?: string): PublicEndpoint {
  const { primary, standby } = config.regions;
  const observers = observerRegions(config.regions);
  const probed = inForce(config.cells).filter(({ probe }) => probe !== 'never');
  const observer = new Observer(stack, 'Observer', {
    name: config.name,
    region,
    primary,
    standby,
    zoneName: config.zone.name,
    cells: deployedCells(config),
    probed: probed.map(pairOf),
    keys: streamKeys(probed),
    conductorArn,
    ...(conductorArn === undefined ? {} : { witnesses: [...config.regions.witnesses] }),
    phase: phaseOf(observers.indexOf(region), observers.length),
    ...(config.beacons === undefined ? {} : { beacons: true }),
    policy: config.policy,
  });
  return observer.endpoint;
}
