import type { ConsumerKind } from '../../lambda/core/consumers.ts';
import {
  beaconTableName,
  canaryStreamName,
  conductorArn,
  conductorFunctionName,
  conductorMachineName,
  drillRuleName,
  guardFunctionName,
  notificationTopicName,
  observerFunctionName,
  stateTableName,
  switchFunctionName,
  TROUBLE_INDEX,
  voteFunctionName,
  voteTableName,
} from '../../lambda/core/names.ts';
import type { Role } from '../../lambda/core/role.ts';
import { reservesIn } from '../config/concurrency.ts';
import { type Cell, type Config, hasForeignStream, observerRegions } from '../config/config.ts';
import { pairOf, probedCells } from '../config/probed-cells.ts';
import { type StreamKey, streamKeys } from '../config/stream-keys.ts';
import { sharedBeginning, streamRoles } from '../config/stream-names.ts';
import { surveyedConsumers } from '../config/surveyed-consumers.ts';
import { watchedCells } from '../settings/watched-cells.ts';
import type { Where } from './where.ts';

const tableArn = (table: string, region: string, account: string): string =>
  `arn:aws:dynamodb:${region}:${account}:table/${table}`;
export const streamArn = (stream: string, region: string, account: string): string =>
  `arn:aws:kinesis:${region}:${account}:stream/${stream}`;

const voteTables = ({ config, account }: Where, regions: readonly string[]): readonly string[] =>
  regions.map((region) => tableArn(voteTableName(config.name), region, account));
const beaconTable = ({ config, account }: Where): string =>
  tableArn(beaconTableName(config.name), config.regions.standby, account);
const cellStreams = (
  { config, account }: Where,
  cells: readonly Cell[],
  roles: readonly Role[] = streamRoles,
): readonly string[] => [
  ...new Set(
    roles.flatMap((role) =>
      cells.map(
        ({ streams }) => streams[role].arn ?? streamArn(streams[role].name, config.regions[role], account),
      ),
    ),
  ),
];
/** The streams of all cells, each by its name, or those of this account by the beginning that the names share. */
function allStreams(where: Where): readonly string[] {
  const { config, account, patterns } = where;
  if (patterns !== true) return cellStreams(where, config.cells);
  const { own, foreign } = Object.groupBy(config.cells, (cell) =>
    hasForeignStream(cell) ? 'foreign' : 'own',
  );
  const beginnings =
    own === undefined
      ? []
      : streamRoles.map((role) =>
          streamArn(`${sharedBeginning(own.map(pairOf), role)}*`, config.regions[role], account),
        );
  return [...beginnings, ...cellStreams(where, foreign ?? [])];
}
const surveyedCells = ({ cells }: Config): readonly Cell[] => cells.filter((cell) => !hasForeignStream(cell));
const leaseTables = ({ config, account, kcl = '' }: Where): readonly string[] =>
  streamRoles.map((role) => tableArn(kcl, config.regions[role], account));
/** Consumers of a kind that the config names, in these regions, each once. */
function consumersOf(where: Where, kind: ConsumerKind, roles: readonly Role[] = streamRoles) {
  const { config, account } = where;
  const all = roles.flatMap((role) =>
    config.cells.flatMap(({ streams, consumers = [] }) =>
      consumers.flatMap((one) => {
        const region = config.regions[role];
        const { name, arn = streamArn(name, region, account) } = streams[role];
        return one.kind === kind ? [{ name: one.name[role], region, stream: arn }] : [];
      }),
    ),
  );
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}
/** What the survey asks about: consumers that its role can name, in the standby. */
const surveyedOf = (where: Where, kind: ConsumerKind) =>
  consumersOf({ ...where, config: { ...where.config, cells: surveyedConsumers(where.config.cells) } }, kind, [
    'standby',
  ]);
type NamedConsumer = ReturnType<typeof consumersOf>[number];
const functionArn = (account: string, { name, region }: NamedConsumer): string =>
  name.startsWith('arn:')
    ? name.split(':').slice(0, 7).join(':')
    : `arn:aws:lambda:${region}:${account}:function:${name.split(':')[0]}`;
const registeredArn = ({ name, stream }: NamedConsumer): string => `${stream}/consumer/${name}:*`;
const firehoseArn = (account: string, { name, region }: NamedConsumer): string =>
  `arn:aws:firehose:${region}:${account}:deliverystream/${name}`;
const drillCells = ({ cells, drill }: Config): readonly Cell[] =>
  cells.filter(({ name }) => name === drill?.cell);

/** What rights are about, and the ARNs of it in a deployment. */
export const places = {
  /** Services that know no resources, or none for these actions. */
  everything: { said: 'everything', arns: () => ['*'] },
  'metrics of Spillway': { said: 'metrics in the namespace of this deployment', arns: () => ['*'] },
  'state table': {
    said: '`NAME-state` in the standby',
    arns: ({ config, account }) => [tableArn(stateTableName(config.name), config.regions.standby, account)],
  },
  tables: {
    said: '`NAME-state` and `NAME-beacons` in the standby, `NAME-vote` in each observer’s region',
    arns: (where) => [
      tableArn(stateTableName(where.config.name), where.config.regions.standby, where.account),
      ...(where.config.beacons === undefined ? [] : [beaconTable(where)]),
      ...voteTables(where, observerRegions(where.config.regions)),
    ],
  },
  'vote tables': {
    said: '`NAME-vote` in each observer’s region',
    arns: (where) => voteTables(where, observerRegions(where.config.regions)),
  },
  'own vote table': {
    said: '`NAME-vote` in its own region',
    arns: (where) => voteTables(where, [where.region]),
  },
  'vote tables of witnesses': {
    said: '`NAME-vote` in each witness’s region',
    arns: (where) => voteTables(where, where.config.regions.witnesses),
  },
  'beacon table': { said: '`NAME-beacons` in the standby', arns: (where) => [beaconTable(where)] },
  'index of beacons': {
    said: 'the index of `NAME-beacons` in the standby',
    arns: (where) => [`${beaconTable(where)}/index/${TROUBLE_INDEX}`],
  },
  canaries: {
    said: '`NAME-canary` in primary and standby',
    arns: ({ config, account }) =>
      streamRoles.map((role) => streamArn(canaryStreamName(config.name), config.regions[role], account)),
  },
  streams: {
    said: 'the streams of the cells, in primary and standby',
    arns: (where) => allStreams(where),
    keys: ({ config }) => streamKeys(config.cells),
  },
  'surveyed streams': {
    said: 'the streams of the cells, in primary and standby, but for streams of other accounts',
    arns: (where) => cellStreams(where, surveyedCells(where.config)),
  },
  'probed streams': {
    said: 'the streams of cells that may be probed, in primary and standby',
    arns: (where) => {
      const { probed, beginnings } = probedCells(where.config.cells);
      if (beginnings === undefined) return cellStreams(where, probed);
      return streamRoles.map((role) =>
        streamArn(`${beginnings[role]}*`, where.config.regions[role], where.account),
      );
    },
    keys: ({ config }) => streamKeys(probedCells(config.cells).probed),
  },
  'watched streams': {
    said: 'the streams of up to ten cells in the standby',
    arns: (where) => cellStreams(where, watchedCells(where.config), ['standby']),
    keys: ({ config }) => streamKeys(watchedCells(config), ['standby']),
  },
  'streams of the drill cell': {
    said: 'the streams of the cell for drills, in primary and standby',
    arns: (where) => cellStreams(where, drillCells(where.config)),
    keys: ({ config }) => streamKeys(drillCells(config)),
  },
  'own log': {
    said: 'its own log',
    arns: ({ account, region, functionName = '' }) => [
      `arn:aws:logs:${region}:${account}:log-group:/aws/lambda/${functionName}:*`,
    ],
  },
  'step of the conductor': {
    said: 'the function `NAME-conductor` in the standby',
    arns: ({ config, account }) => [
      `arn:aws:lambda:${config.regions.standby}:${account}:function:${conductorFunctionName(config.name)}`,
    ],
  },
  conductor: {
    said: 'the state machine `NAME-conductor` in the standby',
    arns: ({ config, account }) => [conductorArn(config.name, config.regions.standby, account)],
  },
  'runs of the conductor': {
    said: 'executions of `NAME-conductor`',
    arns: (where) => [runsOf(where, '*')],
  },
  'runs of a map': {
    said: 'executions of the map of `NAME-conductor`',
    arns: ({ config, account }) => [
      `arn:aws:states:${config.regions.standby}:${account}:execution:${conductorMachineName(config.name)}/*:*`,
    ],
  },
  'runs of the drill': {
    said: 'executions of `NAME-conductor` for the group of the cell for drills',
    arns: (where) => drillCells(where.config).map(({ group }) => runsOf(where, `${group}-*`)),
  },
  topic: {
    said: '`NAME-notifications` in the standby',
    arns: ({ config, account }) => topics(config, account, [config.regions.standby]),
  },
  topics: {
    said: '`NAME-notifications` in each observer’s region',
    arns: ({ config, account }) => topics(config, account, observerRegions(config.regions)),
  },
  observers: {
    said: 'the function `NAME-observer` in each observer’s region',
    arns: ({ config, account }) =>
      observerRegions(config.regions).map(
        (region) => `arn:aws:lambda:${region}:${account}:function:${observerFunctionName(config.name)}`,
      ),
  },
  functions: {
    said: 'the functions of Spillway, in the standby and each witness',
    arns: (where) => functionArns(where, () => true),
  },
  'public endpoints': {
    said: 'the functions `NAME-vote` in each observer’s region, and `NAME-switch` in the standby',
    arns: (where) => {
      const { name } = where.config;
      const endpoints = [voteFunctionName(name), switchFunctionName(name)];
      return functionArns(where, (functionName) => endpoints.includes(functionName));
    },
  },
  'vote functions': {
    said: 'the function `NAME-vote` in each observer’s region',
    arns: (where) =>
      functionArns(where, (functionName) => functionName === voteFunctionName(where.config.name)),
  },
  'log of the guard': {
    said: 'the log of `NAME-guard` in the standby',
    arns: ({ config, account }) => [
      `arn:aws:logs:${config.regions.standby}:${account}:log-group:/aws/lambda/${guardFunctionName(config.name)}:*`,
    ],
  },
  'logs of observers': {
    said: 'the log of `NAME-observer` in each observer’s region',
    arns: ({ config, account }) =>
      observerRegions(config.regions).map(
        (region) =>
          `arn:aws:logs:${region}:${account}:log-group:/aws/lambda/${observerFunctionName(config.name)}:*`,
      ),
  },
  'rule of the drill': {
    said: 'the rule `NAME-drill` in the standby',
    arns: ({ config, account }) => [
      `arn:aws:events:${config.regions.standby}:${account}:rule/${drillRuleName(config.name)}`,
    ],
  },
  'stream consumers': {
    said: 'the registered consumer of each stream, in primary and standby',
    arns: (where) => allStreams(where).map((arn) => `${arn}/consumer/${where.fanOut}:*`),
    keys: ({ config }) => streamKeys(config.cells),
  },
  'lease tables': {
    said: 'the tables of the KCL application, in primary and standby',
    arns: (where) =>
      leaseTables(where).flatMap((table) => [
        table,
        `${table}-WorkerMetricStats`,
        `${table}-CoordinatorState`,
      ]),
  },
  'indexes of lease tables': {
    said: 'the indexes of the KCL’s lease table, in primary and standby',
    arns: (where) => leaseTables(where).map((table) => `${table}/index/*`),
  },
  'functions of consumers': {
    said: 'the functions that the config names as consumers, in primary and standby',
    arns: (where) => consumersOf(where, 'lambda').map((one) => functionArn(where.account, one)),
  },
  'registered consumers': {
    said: 'the registered consumers that the config names, in primary and standby',
    arns: (where) => consumersOf(where, 'enhancedFanOut').map(registeredArn),
  },
  'lease tables of consumers': {
    said: 'the lease tables that the config names, in primary and standby',
    arns: (where) =>
      consumersOf(where, 'kcl').map(({ name, region }) => tableArn(name, region, where.account)),
  },
  'Firehose streams of consumers': {
    said: 'the Firehose streams that the config names, in primary and standby',
    arns: (where) => consumersOf(where, 'firehose').map((one) => firehoseArn(where.account, one)),
  },
  'surveyed functions': {
    said: 'functions that the config names as consumers, in the standby, as many as its role can name',
    arns: (where) => surveyedOf(where, 'lambda').map((one) => functionArn(where.account, one)),
  },
  'surveyed registered consumers': {
    said: 'registered consumers that the config names, in the standby, as many as its role can name',
    arns: (where) => surveyedOf(where, 'enhancedFanOut').map(registeredArn),
  },
  'surveyed lease tables': {
    said: 'lease tables that the config names, in the standby, as many as its role can name',
    arns: (where) =>
      surveyedOf(where, 'kcl').map(({ name, region }) => tableArn(name, region, where.account)),
  },
  'surveyed Firehose streams': {
    said: 'Firehose streams that the config names, in the standby, as many as its role can name',
    arns: (where) => surveyedOf(where, 'firehose').map((one) => firehoseArn(where.account, one)),
  },
  'watched lease tables': {
    said: 'lease tables of up to ten cells in the standby, as many as its role can name',
    arns: (where) =>
      surveyedOf({ ...where, config: { ...where.config, cells: watchedCells(where.config) } }, 'kcl').map(
        ({ name, region }) => tableArn(name, region, where.account),
      ),
  },
  'alarms of the standby': {
    said: 'alarms of the account, in the standby: DescribeAlarms is judged as a list',
    arns: ({ config, account }) => [`arn:aws:cloudwatch:${config.regions.standby}:${account}:alarm:*`],
  },
  alarms: {
    said: 'alarms of the account, in primary and standby: DescribeAlarms is judged as a list',
    arns: ({ config, account }) =>
      streamRoles.map((role) => `arn:aws:cloudwatch:${config.regions[role]}:${account}:alarm:*`),
  },
  'metrics of the KCL': { said: 'metrics in the namespace of the KCL application', arns: () => ['*'] },
  'roles and users': {
    said: 'roles and users of the account',
    arns: ({ account }) => [`arn:aws:iam::${account}:role/*`, `arn:aws:iam::${account}:user/*`],
  },
  stacks: {
    said: 'the stacks `NAME-…` in every region of the config',
    arns: ({ config, account }) =>
      [config.regions.primary, ...observerRegions(config.regions)].map(
        (region) => `arn:aws:cloudformation:${region}:${account}:stack/${config.name}-*/*`,
      ),
  },
  'stacks of the routing': {
    said: 'the stacks `NAME-routing…` in the standby',
    arns: ({ config, account }) => [
      `arn:aws:cloudformation:${config.regions.standby}:${account}:stack/${config.name}-routing*/*`,
    ],
  },
  'hosted zone': {
    said: 'the hosted zone',
    arns: ({ config }) => [`arn:aws:route53:::hostedzone/${config.zone.id}`],
  },
  'health checks': {
    said: 'health checks of the account, whose ids no stack knows before they exist',
    arns: () => ['arn:aws:route53:::healthcheck/*'],
  },
} as const satisfies Readonly<Record<string, PlaceOf>>;

interface PlaceOf {
  /** For people, with NAME for the name of the deployment. */
  readonly said: string;
  readonly arns: (where: Where) => readonly string[];
  /** Customer-managed keys of streams: a right on the streams needs one on these. */
  readonly keys?: (where: Where) => readonly StreamKey[];
}

export type Place = keyof typeof places;

export const arnsOf = (place: Place, where: Where): readonly string[] => places[place].arns(where);
export function keysOf(place: Place, where: Where): readonly StreamKey[] {
  const { keys }: PlaceOf = places[place];
  return keys?.(where) ?? [];
}

const runsOf = ({ config, account }: Where, runs: string): string =>
  `arn:aws:states:${config.regions.standby}:${account}:execution:${conductorMachineName(config.name)}:${runs}`;

/** Functions of every region that observes; each of them reserves concurrency. */
const functionArns = (
  { config, account }: Where,
  isWanted: (functionName: string) => boolean,
): readonly string[] =>
  observerRegions(config.regions).flatMap((region) =>
    reservesIn(region, config).flatMap(({ functionName }) =>
      isWanted(functionName) ? [`arn:aws:lambda:${region}:${account}:function:${functionName}`] : [],
    ),
  );
const topics = ({ name }: Config, account: string, regions: readonly string[]): readonly string[] =>
  regions.map((region) => `arn:aws:sns:${region}:${account}:${notificationTopicName(name)}`);
