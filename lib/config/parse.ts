import type { z } from 'zod';
import { parseStreamArn } from '../../lambda/core/stream-arn.ts';
import { cellProblems } from './cells.ts';
import type { Cell, Config, ServiceName, StreamSpec } from './config.ts';
import { consumerOf } from './consumers.ts';
import {
  defaultBeaconSources,
  defaultDelivery,
  defaultDrillOverdueDays,
  defaultDrillSchedule,
  defaultHealthCheckQuota,
  defaultMonitoring,
  defaultPolicy,
  defaultRegions,
  defaultVotesToEvacuate,
} from './defaults.ts';
import { ConfigError, type ConfigProblem } from './errors.ts';
import { splitMessage } from './fields.ts';
import { relationProblems } from './relations.ts';
import {
  type CellInput,
  type ConfigInput,
  configSchema,
  type SharedStreamInput,
  type StreamInput,
} from './schema.ts';

/** The most problems listed; a file with more has one common cause. */
const MAX_PROBLEMS = 100;

/**
 * Checks a configuration and applies the defaults. Shape and ranges come first; relations between values are
 * checked once shape and ranges hold. `file` only names the source in the error.
 *
 * @throws ConfigError with every problem of the first stage that found any (at most 100).
 */
export function parseConfig(input: unknown, file: string): Config {
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) throw new ConfigError(file, limited(parsed.error.issues.flatMap(problemsOf)));
  const config = withDefaults(parsed.data);
  const problems = [...relationProblems(config), ...cellProblems(config, parsed.data.cells)];
  if (problems.length > 0) throw new ConfigError(file, limited(problems));
  return config;
}

const limited = (problems: readonly ConfigProblem[]): readonly ConfigProblem[] =>
  problems.slice(0, MAX_PROBLEMS);

function problemsOf(issue: z.core.$ZodIssue): readonly ConfigProblem[] {
  // A union only says that no branch fits; the branch whose type fits knows what is wrong.
  if (issue.code === 'invalid_union') {
    const branch = issue.errors.find(([first]) => first !== undefined && !wrongType(first));
    if (branch !== undefined) {
      return branch.flatMap((nested) => problemsOf({ ...nested, path: [...issue.path, ...nested.path] }));
    }
  }
  return [{ path: pathOf(issue.path), ...splitMessage(issue.message) }];
}

const wrongType = (issue: z.core.$ZodIssue): boolean =>
  issue.code === 'invalid_type' && issue.path.length === 0;

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

function withDefaults(input: ConfigInput): Config {
  const regions = input.regions ?? defaultRegions;
  const schedule = input.drill === undefined ? 'off' : (input.drill.schedule ?? defaultDrillSchedule);
  return {
    name: input.name,
    regions,
    zone: {
      id: input.zone.id.replace('/hostedzone/', ''),
      name: input.zone.name.replace(/\.$/, '').toLowerCase(),
      ...(input.zone.keepRegionRecord === true ? { keepRegionRecord: true } : {}),
    },
    cells: input.cells.map(cellOf),
    policy: {
      ...defaultPolicy,
      votesToEvacuate: defaultVotesToEvacuate(1 + regions.witnesses.length),
      ...given(input.policy ?? {}),
    },
    delivery: { ...defaultDelivery, ...given(input.delivery ?? {}) },
    healthCheckQuota: input.healthCheckQuota ?? defaultHealthCheckQuota,
    ...(input.drill === undefined ? {} : { drill: { cell: input.drill.cell, schedule } }),
    ...(input.cellStacks === undefined ? {} : { cellStacks: input.cellStacks }),
    ...(input.keepGroups === undefined ? {} : { keepGroups: input.keepGroups }),
    ...beaconsOf(input.beacons),
    notify: given(input.notify ?? {}),
    monitoring: {
      ...defaultMonitoring,
      ...(schedule === 'weekly' ? { drillOverdueDays: defaultDrillOverdueDays } : {}),
      ...given(input.monitoring ?? {}),
    },
  };
}

function beaconsOf(input: ConfigInput['beacons']): Pick<Config, 'beacons'> {
  if (input === undefined || input === false) return {};
  const { sources = defaultBeaconSources } = input === true ? {} : input;
  return { beacons: { sources } };
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Drops keys written as `undefined`, which would overwrite a default. */
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}

function cellOf(input: CellInput): Cell {
  const { stream, streams } = input;
  // The schema has made sure that exactly one of the two is there.
  const pair = streams ?? inBoth(stream as SharedStreamInput);
  const specs = { primary: streamOf(pair.primary), standby: streamOf(pair.standby) };
  // Records that the owner did not ask for are the owner's decision: the consumers of an existing stream see them.
  const isOurs = specs.primary.create && specs.standby.create;
  return {
    name: input.name,
    group: input.group ?? input.name,
    streams: specs,
    probe: input.probe ?? (isOurs ? 'onSuspicion' : 'never'),
    ...(input.mode === undefined ? {} : { mode: input.mode }),
    services: (input.services ?? []).map(
      (service): ServiceName => ({
        ...service,
        primary: [service.primary].flat(),
        standby: [service.standby].flat(),
      }),
    ),
    ...(input.consumers === undefined ? {} : { consumers: input.consumers.map(consumerOf) }),
  };
}

function inBoth(input: SharedStreamInput): { readonly primary: StreamInput; readonly standby: StreamInput } {
  if (typeof input === 'string') return { primary: input, standby: input };
  const { kmsKeyArn, ...rest } = input;
  return {
    primary: { ...rest, kmsKeyArn: kmsKeyArn?.primary },
    standby: { ...rest, kmsKeyArn: kmsKeyArn?.standby },
  };
}

function streamOf(input: StreamInput): StreamSpec {
  const { name = '', arn, existing, shards, kmsKeyArn } = typeof input === 'string' ? { name: input } : input;
  if (arn !== undefined) {
    return { name: parseStreamArn(arn)?.name ?? '', arn, create: false, ...given({ kmsKeyArn }) };
  }
  return { name, create: existing !== true, ...given({ shards, kmsKeyArn }) };
}
