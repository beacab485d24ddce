import type { ProbeMode } from '../../lambda/core/watched-cells.ts';
import type { Config } from '../config/config.ts';
import { defaultPolicy, defaultRegions } from '../config/defaults.ts';
import { ConfigError, type ConfigProblem } from '../config/errors.ts';
import { parseConfig } from '../config/parse.ts';
import type { ConfigInput } from '../config/schema.ts';

/** The answers that `spillway init` needs; every other value has a proposal. */
export interface Answers {
  readonly name?: string;
  readonly zoneId: string;
  readonly zoneName: string;
  /** Names of streams that exist; each becomes a cell. */
  readonly streams: readonly string[];
  readonly primary?: string;
  readonly standby?: string;
  readonly witnesses?: readonly string[];
  /** Whether observers may put marked records into these streams; absent = nobody has said, and they may not. */
  readonly probe?: string;
  readonly mode?: string;
  /** Adds a cell of its own for weekly drills. */
  readonly drill?: boolean;
}

type Proposed = Required<Pick<Answers, 'name' | 'primary' | 'standby' | 'witnesses' | 'mode' | 'drill'>>;

const DRILL_CELLS = ['drill', 'spillway-drill'] as const;
const WITNESSES = 2;
/** Proposed in this order, where the usual witnesses have another role. */
const spareWitnesses = ['ca-central-1', 'eu-central-1'] as const;

/**
 * The values that are written when neither questions nor flags give them. The mode is `observe`, not the
 * config's own default: a first deployment shows what it would do before anybody lets it act. Drills are on:
 * a drill is an operator's move, which the mode does not hold back, and proves from the first week that a
 * failover works. Regions that have a role already are not proposed for another.
 */
export function proposalsFor({ primary, standby }: Partial<Answers>): Proposed {
  const first = primary ?? defaultRegions.primary;
  const second =
    standby ?? [defaultRegions.standby, defaultRegions.primary].find((region) => region !== first);
  const free = [...defaultRegions.witnesses, ...spareWitnesses].filter(
    (region) => region !== first && region !== second,
  );
  return {
    name: 'spillway',
    primary: first,
    standby: second ?? defaultRegions.standby,
    witnesses: free.slice(0, WITNESSES),
    mode: 'observe',
    drill: true,
  };
}

export interface Written {
  readonly text: string;
  readonly config: Config;
}

/** Makes the text of a config that loads under that file name. @throws ConfigError */
export function configFile(answers: Answers, file: string): Written {
  const input = inputOf({ ...proposalsFor(answers), ...answers });
  if (answers.streams.length === 0) throw new ConfigError(file, [noStreams]);
  const config = parseConfig(input, file);
  return { text: file.endsWith('.json') ? jsonText(input) : typescriptText(input), config };
}

const noStreams: ConfigProblem = {
  path: 'cells',
  problem: 'has no stream to protect',
  fix: 'Name at least one, separated by commas.',
};

/**
 * Makes the config's keys. Default values are left out, so that a later version's better default takes
 * effect; `probe` is not, because what an owner has said of records in their streams outlives any default. The stream of
 * the drill cell is Spillway's own, and keeps its default.
 */
function inputOf(answers: Answers & Proposed): ConfigInput {
  const { name, zoneId, zoneName, streams, primary, standby, witnesses, probe, mode, drill } = answers;
  const regions = { primary, standby, witnesses: [...witnesses] };
  const cells = streams.map((stream) => ({
    name: cellName(stream),
    stream: { name: stream, existing: true },
    // Checked with everything else, like the mode.
    ...(probe === undefined ? {} : { probe: probe as ProbeMode }),
  }));
  const [drillCell = '', drillStream = ''] = [
    DRILL_CELLS.find((cell) => cells.every((other) => other.name !== cell)),
    DRILL_CELLS.map((cell) => `${name}-${cell}`).find((stream) => !streams.includes(stream)),
  ];
  return {
    name,
    ...(JSON.stringify(regions) === JSON.stringify(defaultRegions) ? {} : { regions }),
    zone: { id: zoneId, name: zoneName },
    cells: drill ? [...cells, { name: drillCell, stream: { name: drillStream, shards: 1 } }] : cells,
    ...(drill ? { drill: { cell: drillCell, schedule: 'weekly' as const } } : {}),
    // Checked with everything else: a wrong mode is reported with the allowed values.
    ...(mode === defaultPolicy.mode ? {} : { policy: { mode: mode as 'observe' } }),
  };
}

/** A stream may have capitals, dots and underscores; a cell is a DNS label. */
export const cellName = (stream: string): string =>
  stream
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);

const jsonText = (input: ConfigInput): string => `${JSON.stringify(input, null, 2)}\n`;

function typescriptText(input: ConfigInput): string {
  const object = JSON.stringify(input, null, 2)
    .replaceAll(/^(\s*)"([A-Za-z]\w*)":/gm, '$1$2:')
    .replaceAll(/"((?:[^"\\']|\\\\)*)"/g, "'$1'");
  return [
    '// Written by `spillway init`. Every key and its default: docs/config.md of Spillway.',
    `export default ${object};`,
    '',
  ].join('\n');
}
