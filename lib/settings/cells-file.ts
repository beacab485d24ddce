import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type ConsumerKind, consumerKindNames } from '../../lambda/core/consumers.ts';
import { modes } from '../../lambda/core/policy.ts';
import { probeModes } from '../../lambda/core/watched-cells.ts';
import { requiredVariable, SettingsError } from './variables.ts';

/** File beside a function's code that lists the cells: environment variables hold 4 KB, and cells are thousands. */
export const CELLS_FILE = 'cells.json';

const cellsSchema = z.array(
  z.object({
    cell: z.string().min(1),
    group: z.string().min(1),
    /** Stream of the standby. */
    stream: z.string().min(1),
    /** Of the stream of the standby, where it is in another account. */
    streamArn: z.string().min(1).optional(),
    primaryStream: z.string().min(1),
    probe: z.enum(probeModes),
    mode: z.enum(modes).optional(),
    /** What reads the stream of the standby, by its names there. Absent: the config does not say. */
    consumers: z
      .array(
        z.object({ kind: z.enum(consumerKindNames as [ConsumerKind, ...ConsumerKind[]]), name: z.string() }),
      )
      .readonly()
      .optional(),
  }),
);
/** What a deployed function knows of a cell. */
export type DeployedCell = Readonly<z.infer<typeof cellsSchema>[number]>;

/** Reads the list as the stacks wrote it. @throws SettingsError */
export const readCells = (): readonly DeployedCell[] => readDeployed(CELLS_FILE, cellsSchema);

/** Reads a file that the stacks put beside a function's code. @throws SettingsError */
export function readDeployed<Content>(name: string, schema: z.ZodType<Content>): Content {
  const file = join(requiredVariable('LAMBDA_TASK_ROOT'), name);
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new SettingsError(`${file} is missing or malformed: deploy this function again.`, { cause });
  }
}

/** Streams of the standby in which the conductor may look for arriving records: its policy names each of them. */
const WATCHED_STREAMS = 10;
/** By their names, or by ARN where they are in another account. */
export const watchedStreams = (
  cells: readonly Pick<DeployedCell, 'stream' | 'streamArn'>[],
): readonly string[] => spread([...new Set(cells.map(streamReferenceOf))], WATCHED_STREAMS);

/** A cell's stream in the standby, as calls name it. */
export const streamReferenceOf = ({
  stream,
  streamArn,
}: Pick<DeployedCell, 'stream' | 'streamArn'>): string => streamArn ?? stream;

/** Takes at most `limit` items, evenly spread, so that the sample represents the whole list. */
export function spread<T>(list: readonly T[], limit: number): readonly T[] {
  if (list.length <= limit) return list;
  return Array.from({ length: limit }, (_, n) => list[Math.floor((n * list.length) / limit)] as T);
}

/** Lists every group once, sorted: batches are cut by index, so every reader must have the same order. */
export const groupsOf = (cells: readonly Pick<DeployedCell, 'group'>[]): readonly string[] =>
  [...new Set(cells.map(({ group }) => group))].toSorted();
