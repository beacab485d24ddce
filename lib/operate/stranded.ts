import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import type { Role } from '../../lambda/core/role.ts';
import type { Drained } from '../../lambda/core/survey.ts';
import { type Cell, type Config, streamReference } from '../config/config.ts';
import type { StoredSwitch } from '../state/state-table.ts';
import type { DrainedMark, StrandedDocument, StrandedFinding } from '../stranded/document.ts';
import { type LookOptions, lookAtStranded } from '../stranded/look.ts';
import type { CellQuestion } from '../stranded/question.ts';
import { documentOf } from '../stranded/verdict.ts';
import type { AwsClients } from './clients.ts';
import { type Departure, departureOf } from './departure.ts';
import { UsageError } from './errors.ts';
import { type Reading, reading } from './reading.ts';
import { stateTable } from './state.ts';

const TABLE_TIMEOUT_MS = 3_000;
/** The most that can be read; the first act of an evacuation is looked for among them. */
const JOURNAL_ENTRIES = 1_000;
const roles = ['primary', 'standby'] as const satisfies readonly Role[];

export interface StrandedQuestion
  extends Pick<LookOptions, 'nowMs' | 'sinceMs' | 'withinMs' | 'signal' | 'onProgress' | 'limits'> {
  readonly config: Config;
  readonly clients: AwsClients;
  readonly cells: readonly Cell[];
  /** Whose streams are the old ones. */
  readonly role: Role;
  readonly moves: KnownMoves;
}

/** What the state table knows of the moves of the cells. */
export interface KnownMoves {
  readonly switches: Reading<readonly StoredSwitch[]>;
  readonly drained: Reading<ReadonlyMap<string, Drained>>;
  /** Newest first. */
  readonly journal: Reading<readonly JournalEntry[]>;
}

/** The role of a region that holds streams. @throws UsageError */
export function roleOfRegion({ regions }: Config, region: string | undefined): Role {
  if (region === undefined) return 'primary';
  const role = roles.find((one) => regions[one] === region);
  if (role !== undefined) return role;
  throw new UsageError(
    `There are no streams in ${region}: the regions with streams are ${regions.primary} and ${regions.standby}.`,
  );
}

/** The cells that were named, by their names or those of their groups. Unlike a move, each is about its own stream. @throws UsageError */
export function cellsNamed({ cells }: Config, names: readonly string[] | undefined): readonly Cell[] {
  if (names === undefined) return cells;
  const unknown = names.filter((name) => !cells.some((cell) => cell.name === name || cell.group === name));
  if (unknown.length > 0) throw new UsageError(`There is no cell ${unknown.join(', ')}.`);
  return cells.filter(({ name, group }) => names.includes(name) || names.includes(group));
}

/** Counts what is stranded in the old streams of these cells. Never throws but for an interruption. */
export async function strandedIn(question: StrandedQuestion): Promise<StrandedDocument> {
  const { config, clients, cells, role, nowMs, moves } = question;
  const region = config.regions[role];
  const looks = await lookAtStranded(
    cells.map((cell) => questionOf(cell, { config, role, moves })),
    {
      ...question,
      clients: {
        kinesis: clients.kinesis(region),
        dynamo: clients.other(DynamoDBClient, region),
        cloudWatch: clients.cloudWatch(region),
      },
    },
  );
  return documentOf({
    ...{ atMs: nowMs(), region, looks },
    findings: unreadMoves(moves, cells),
    commandFor: (names) =>
      [
        `spillway drain --cells ${names.join(',')}`,
        ...(role === 'primary' ? [] : [`--region ${region}`]),
        ...(question.sinceMs === undefined ? [] : [`--since ${new Date(question.sinceMs).toISOString()}`]),
      ].join(' '),
  });
}

/** Reads where traffic is, since when, and what was drained. Never throws. */
export async function readMoves(config: Config, clients: AwsClients): Promise<KnownMoves> {
  const table = stateTable(config, clients, TABLE_TIMEOUT_MS);
  const [switches, drained, journal] = await Promise.all([
    reading(TABLE_TIMEOUT_MS, () => table.readSwitches()),
    reading(TABLE_TIMEOUT_MS, () => table.readDrainedMarks()),
    reading(TABLE_TIMEOUT_MS, () => table.history(JOURNAL_ENTRIES)),
  ]);
  return { switches, drained, journal };
}

function questionOf(
  cell: Cell,
  { config, role, moves }: { readonly config: Config; readonly role: Role; readonly moves: KnownMoves },
): CellQuestion {
  const { moved, epoch, atMs } = moveOf(cell, role, moves);
  return {
    cell: cell.name,
    place: { region: config.regions[role], stream: streamReference(cell.streams[role]) },
    role,
    shared: sharedOf(cell, config, role),
    ...(cell.consumers !== undefined && { consumers: cell.consumers }),
    moved,
    ...(atMs !== undefined && { movedAtMs: atMs }),
    drained: role === 'primary' ? markOf(moves, cell.name, epoch) : null,
  };
}

/** Consumers of the cell that read other streams of the region as well: a function has one age, whatever it reads. */
export function sharedOf(cell: Cell, { cells }: Config, role: Role): readonly string[] {
  const own = streamReference(cell.streams[role]);
  const elsewhere = new Set(
    cells
      .filter(({ streams }) => streamReference(streams[role]) !== own)
      .flatMap(({ consumers = [] }) => consumers.map(({ kind, name }) => `${kind} ${bare(name[role])}`)),
  );
  return (cell.consumers ?? []).flatMap(({ kind, name }) =>
    kind !== 'enhancedFanOut' && elsewhere.has(`${kind} ${bare(name[role])}`) ? name[role] : [],
  );
}

/** A function without its alias or version: two aliases may share their age, and too much is counted at worst. */
const bare = (name: string): string => (name.split(':function:').at(-1) ?? name).split(':')[0] ?? name;

/** Whether traffic left the stream of this role, by which act first, and when. */
export function moveOf(
  { group }: Pick<Cell, 'group'>,
  role: Role,
  { switches, journal }: KnownMoves,
): Departure & {
  readonly moved: boolean | null;
  /** Of the latest act: marks are of it, as a failback asks for them. */
  readonly latestEpoch: number;
} {
  if (!switches.ok) return { moved: null, epoch: 0, latestEpoch: 0 };
  const found = switches.value.find((one) => one.group === group);
  const epoch = found?.epoch ?? 0;
  const elsewhere = role === 'primary' ? 'STANDBY' : 'PRIMARY';
  // A switch that was never set is in the primary, and traffic never was anywhere else.
  if (found === undefined || found.position !== elsewhere || epoch === 0)
    return { moved: false, epoch, latestEpoch: epoch };
  const departure = departureOf(found, role, journal.ok ? journal.value : undefined);
  return { moved: true, latestEpoch: epoch, ...departure };
}

function markOf({ drained }: KnownMoves, cell: string, epoch: number): DrainedMark | null {
  const mark = drained.ok ? drained.value.get(cell) : undefined;
  if (mark === undefined || mark.epoch < epoch) return null;
  const { window } = mark;
  return { epoch: mark.epoch, atMs: mark.atMs, ...(window !== undefined && { window }) };
}

function unreadMoves({ switches, drained }: KnownMoves, cells: readonly Cell[]): readonly StrandedFinding[] {
  const [cell] = cells;
  if (cell === undefined) return [];
  return [switches, drained]
    .flatMap((read) =>
      read.ok
        ? []
        : [
            {
              level: 'unknown' as const,
              cell: cell.name,
              text: `the state table does not tell where traffic is, when it was moved and what was drained: ${read.problem}`,
            },
          ],
    )
    .slice(0, 1);
}
