import { canaryStreamName, regionRecordName, signalRecordName } from '../../lambda/core/names.ts';
import { parseStreamArn } from '../../lambda/core/stream-arn.ts';
import { Claims } from './claims.ts';
import { type Cell, type Config, hasForeignStream } from './config.ts';
import { consumerProblems } from './consumers.ts';
import type { ConfigProblem } from './errors.ts';
import type { CellInput } from './schema.ts';
import { MAX_NAME_LENGTH, ServiceRules } from './services.ts';
import { regionOfArn } from './stream-keys.ts';

const roles = ['primary', 'standby'] as const;

/** Checks cells, each alone and against each other: nothing is shared, and no name is used twice. */
export function cellProblems(config: Config, inputs: readonly CellInput[]): readonly ConfigProblem[] {
  const names = new Claims();
  const streams = new Claims();
  const services = new ServiceRules(config);
  const ofCells = config.cells.flatMap((cell, index) => {
    const path = `cells[${index}]`;
    return [
      ...names.take(cell.name, `${path}.name`, 'Give each cell a name of its own.'),
      ...tooLong(`primary.${signalRecordName(cell.name, config.zone.name)}`, `${path}.name`),
      ...arnProblems({ config, cell, path, shared: inputs[index]?.streams === undefined }),
      ...streamProblems({ config, cell, path, shared: inputs[index]?.streams === undefined }, streams),
      ...keyProblems({ config, cell, path, shared: inputs[index]?.streams === undefined }),
      ...consumerProblems(cell.consumers ?? [], path),
      ...cell.services.flatMap((service, at) =>
        services.check(service, { cell: cell.name, path: `${path}.services[${at}]` }),
      ),
    ];
  });
  return [
    ...tooLong(regionRecordName(config.name, config.zone.name), 'name'),
    ...ofCells,
    ...tooManyKeys(config),
  ];
}

function tooLong(name: string, path: string): readonly ConfigProblem[] {
  if (name.length <= MAX_NAME_LENGTH) return [];
  const problem = `makes the DNS name ${name}, longer than ${MAX_NAME_LENGTH} characters`;
  return [{ path, problem, fix: 'Shorten the name, or use a zone with a shorter name.' }];
}

interface StreamContext {
  readonly config: Config;
  readonly cell: Cell;
  readonly path: string;
  /** True when the cell has `stream`, one name for both regions: then one problem is enough. */
  readonly shared: boolean;
}

/** What an ARN says must fit where it is written, and what is not possible in another account is refused here. */
function arnProblems({ config, cell, path, shared }: StreamContext): readonly ConfigProblem[] {
  if (!hasForeignStream(cell)) return [];
  if (shared) {
    const problem = 'is an ARN, which names the stream of one region';
    return [
      { path: `${path}.stream`, problem, fix: 'Write streams: { primary: { arn }, standby: { arn } }.' },
    ];
  }
  const elsewhere = roles.flatMap((role) => {
    const { arn } = cell.streams[role];
    const found = arn === undefined ? undefined : parseStreamArn(arn)?.region;
    const wanted = config.regions[role];
    if (found === undefined || found === wanted) return [];
    const problem = `is in ${found}, and the ${role} is ${wanted}`;
    return [
      { path: `${path}.streams.${role}.arn`, problem, fix: `Write the ARN of the stream in ${wanted}.` },
    ];
  });
  const probed =
    cell.probe === 'never'
      ? []
      : [
          {
            path: `${path}.probe`,
            problem: `is ${cell.probe}, and observers put no records into streams of other accounts`,
            fix: "Leave probe out, or write 'never'. Producers can report how their writes fare: beacons.",
          },
        ];
  return [...elsewhere, ...probed];
}

function streamProblems(context: StreamContext, taken: Claims): readonly ConfigProblem[] {
  const { config, cell, path, shared } = context;
  const canary = canaryStreamName(config.name);
  const problems = roles.flatMap((role) => {
    const { name } = cell.streams[role];
    const at = shared ? `${path}.stream` : `${path}.streams.${role}`;
    if (name === canary) {
      const problem = `${name} is the name of Spillway's own canary stream`;
      return [{ path: at, problem, fix: 'Name another stream, or change the name at the top of the file.' }];
    }
    // Two cells on one stream could not move apart.
    return taken.take(`${role}/${name}`, at, 'Give each cell a stream of its own, or make them one cell.');
  });
  return shared ? problems.slice(0, 1) : problems;
}

/** A key works in its own region alone. */
function keyProblems({ config, cell, path, shared }: StreamContext): readonly ConfigProblem[] {
  return roles.flatMap((role) => {
    const { kmsKeyArn } = cell.streams[role];
    const region = config.regions[role];
    if (kmsKeyArn === undefined || regionOfArn(kmsKeyArn) === region) return [];
    const at = shared ? `${path}.stream.kmsKeyArn.${role}` : `${path}.streams.${role}.kmsKeyArn`;
    const problem = `is a key of ${regionOfArn(kmsKeyArn)}, and the stream is in ${region}`;
    const fix = `Write the ARN of a key of ${region}; a multi-region key (mrk-…) has one in each of its regions.`;
    return [{ path: at, problem, fix }];
  });
}

/** Roles name every key beside every stream, and hold 10,240 characters. */
const MOST_KEYS = 20;

function tooManyKeys(config: Config): readonly ConfigProblem[] {
  return roles.flatMap((role) => {
    const { size } = new Set(config.cells.flatMap(({ streams }) => streams[role].kmsKeyArn ?? []));
    if (size <= MOST_KEYS) return [];
    const problem = `have streams with ${size} keys in ${config.regions[role]}, more than the ${MOST_KEYS} that a role can name`;
    return [{ path: 'cells', problem, fix: 'Let streams share keys.' }];
  });
}
