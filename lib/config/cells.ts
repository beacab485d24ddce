import { canaryStreamName, regionRecordName, signalRecordName } from '../../lambda/core/names.ts';
import { Claims } from './claims.ts';
import type { Cell, Config } from './config.ts';
import type { ConfigProblem } from './errors.ts';
import type { CellInput } from './schema.ts';
import { MAX_NAME_LENGTH, ServiceRules } from './services.ts';

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
      ...streamProblems({ config, cell, path, shared: inputs[index]?.streams === undefined }, streams),
      ...cell.services.flatMap((service, at) =>
        services.check(service, { cell: cell.name, path: `${path}.services[${at}]` }),
      ),
    ];
  });
  return [...tooLong(regionRecordName(config.name, config.zone.name), 'name'), ...ofCells];
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
