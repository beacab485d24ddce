import type { Config } from '../config/config.ts';
import { parseConfig } from '../config/parse.ts';
import type { ConfigInput } from '../config/schema.ts';

/** What `spillway init` has to know; everything else has a default. */
export interface Answers {
  readonly name: string;
  readonly zoneId: string;
  readonly zoneName: string;
  /** Names of streams that exist; each becomes a cell. */
  readonly streams: readonly string[];
  readonly primary?: string;
  readonly standby?: string;
  readonly witnesses?: readonly string[];
  readonly mode?: string;
  /** Adds a cell of its own for weekly drills. */
  readonly drill?: boolean;
}

const DRILL_CELL = 'drill';

export interface Written {
  readonly text: string;
  readonly config: Config;
}

/** A config that loads, as a file of that name would be. @throws ConfigError */
export function configFile(answers: Answers, file: string): Written {
  const input = inputOf(answers);
  const config = parseConfig(input, file);
  return { text: file.endsWith('.json') ? jsonText(input) : typescriptText(input), config };
}

/** Left out is what is default, so that a later version's better default takes effect. */
function inputOf({
  name,
  zoneId,
  zoneName,
  streams,
  primary,
  standby,
  witnesses,
  mode,
  drill,
}: Answers): ConfigInput {
  const regions = [primary, standby, witnesses].some((given) => given !== undefined)
    ? {
        regions: {
          primary: primary ?? 'us-east-1',
          standby: standby ?? 'us-west-2',
          witnesses: [...(witnesses ?? ['us-east-2', 'eu-west-1'])],
        },
      }
    : {};
  return {
    name,
    ...regions,
    zone: { id: zoneId, name: zoneName },
    cells: [
      ...streams.map((stream) => ({ name: cellName(stream), stream: { name: stream, existing: true } })),
      ...(drill ? [{ name: DRILL_CELL, stream: { name: `${name}-${DRILL_CELL}`, shards: 1 } }] : []),
    ],
    ...(drill ? { drill: { cell: DRILL_CELL, schedule: 'weekly' as const } } : {}),
    // Checked with everything else: a wrong mode is reported with what may stand there.
    ...(mode === undefined ? {} : { policy: { mode: mode as 'observe' } }),
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
    '// Written by `spillway init`. Every key and its default: lib/config/schema.ts, config.schema.json.',
    `export default ${object};`,
    '',
  ].join('\n');
}
