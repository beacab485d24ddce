import { randomUUID } from 'node:crypto';
import type { Role } from '../../lambda/core/role.ts';
import type { Cell, Config } from '../config/config.ts';
import type { DrainCounts } from '../drain/counts.ts';
import type { AwsClients } from '../operate/clients.ts';
import { ofAsker } from '../operate/credentials.ts';
import {
  type CellDrain,
  type CellDrained,
  drainCell,
  type Marked,
  markIfCovered,
  planDrain,
} from '../operate/drain-cells.ts';
import { InterruptedError, RefusedError, UnansweredError } from '../operate/errors.ts';
import { caller } from '../operate/owner.ts';
import { stateTable } from '../operate/state.ts';
import { cellsNamed, type KnownMoves, readMoves, roleOfRegion, strandedIn } from '../operate/stranded.ts';
import { clientsFor, resolveTarget } from '../operate/target.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { StrandedDocument } from '../stranded/document.ts';
import { isStranded } from '../stranded/verdict.ts';
import { consent, unattended } from './change.ts';
import { leftOut, progressLine } from './drain-lines.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import type { OutputFlags, TargetFlags } from './options.ts';
import { strandedScreen } from './screens/stranded.ts';
import type { Outcome } from './verb.ts';

export interface CellsFlags extends TargetFlags, OutputFlags {
  readonly cells?: readonly string[];
  readonly since?: number;
  readonly region?: string;
  readonly within: number;
  readonly reason?: string;
  readonly owner?: string;
  readonly yes?: true;
  readonly envelope?: true;
  readonly allowAggregated?: true;
  readonly dryRun?: true;
}

export const DEFAULT_WITHIN_MS = 120_000;
const CALL_TIMEOUT_MS = 10_000;
const TABLE_TIMEOUT_MS = 3_000;
export const CREATED_AGAIN =
  'a stream was created again since this drain began: reading begins again, and records without an id may be copied twice';

/** What the parts of a drain of cells share. */
interface Scene {
  readonly io: Io;
  readonly flags: CellsFlags;
  readonly config: Config;
  readonly clients: AwsClients;
  readonly role: Role;
  readonly signal: AbortSignal;
}

/** One cell, copied. */
interface Copied {
  readonly plan: CellDrain;
  readonly done: CellDrained;
  /** Undefined: a dry run. */
  readonly marked: Marked | undefined;
}

/** `spillway drain --cells`: copies what `spillway stranded` counts, and marks the cells of which it is all. */
export async function drainCells(io: Io, flags: CellsFlags): Promise<Outcome> {
  if (!flags.dryRun && !flags.yes && !io.interactive) throw unattended();
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  const { config } = target;
  const role = roleOfRegion(config, flags.region);
  const cells = cellsNamed(config, flags.cells);
  const clients = clientsFor(target, { who: 'cli drain', timeoutMs: CALL_TIMEOUT_MS, say: io.err });
  const interrupted = interruption(() =>
    io.err('interrupted: finishing the write under way (Ctrl-C again ends immediately)'),
  );
  const scene: Scene = { io, flags, config, clients, role, signal: interrupted.signal };
  try {
    await clients.prepare([config.regions.primary, config.regions.standby]);
    const moves = await readMoves(config, clients);
    const document = await look(scene, cells, moves);
    const plans = await planned(scene, { cells, document, moves });
    if (plans.length === 0) return nothing(document, io);
    if (!flags.dryRun) await consent(io, flags, preview(plans, document, io));
    const copied: Copied[] = [];
    for (const plan of plans) copied.push(await copy(scene, plan));
    return outcome(copied, flags, io);
  } catch (error) {
    if (interrupted.signal.aborted)
      throw new InterruptedError('Interrupted: the same command goes on from the checkpoints here.');
    throw ofAsker(error);
  } finally {
    interrupted.dispose();
    clients.destroy();
  }
}

const look = (
  { io, flags, config, clients, role, signal }: Scene,
  cells: readonly Cell[],
  moves: KnownMoves,
): Promise<StrandedDocument> =>
  strandedIn({
    ...{ config, clients, cells, role, moves, nowMs: io.nowMs, withinMs: flags.within, signal },
    ...(flags.since !== undefined && { sinceMs: flags.since }),
    onProgress: io.err,
  });

/** @throws RefusedError, UnansweredError when a cell that was named cannot be drained */
async function planned(
  { io, config, role, flags }: Scene,
  {
    cells,
    document,
    moves,
  }: {
    readonly cells: readonly Cell[];
    readonly document: StrandedDocument;
    readonly moves: KnownMoves;
  },
): Promise<readonly CellDrain[]> {
  const plans: CellDrain[] = [];
  for (const [n, cell] of cells.entries()) {
    const found = document.cells[n];
    if (found === undefined) continue;
    if (flags.cells !== undefined && found.moved === false && found.records > 0)
      throw new RefusedError(
        [
          {
            rule: 'in-place',
            reason: `traffic of ${cell.name} is in ${found.region}, whose consumers read on`,
          },
        ],
        'To copy all the same, name streams and window in full (--from-region and the others).',
      );
    if (found.moved === null && isStranded(found))
      throw new RefusedError(
        [
          {
            rule: 'move-unknown',
            reason: `it is not known whether traffic has left ${cell.name} in ${found.region}: the state table does not tell`,
          },
        ],
        'Run the same command again when it answers, or name streams and window in full (--from-region and the others).',
      );
    const atMs = document.atMs;
    const plan = await planDrain(cell, found, { config, role, moves, directory: io.directory, atMs });
    if (plan === undefined) continue;
    if ('problem' in plan) throw new UnansweredError(`${cell.name}: ${plan.problem}. Nothing was copied.`);
    plans.push(plan);
  }
  return plans;
}

function preview(plans: readonly CellDrain[], document: StrandedDocument, io: Io): string {
  const names = new Set(plans.map(({ cell }) => cell.name));
  const shown = {
    ...{ ...document, first: null, next: null },
    cells: document.cells.filter(({ cell }) => names.has(cell)),
    findings: document.findings.filter(({ cell }) => names.has(cell)),
  };
  // Without its last line, which is the verdict.
  const counted = strandedScreen(shown, io).split('\n').slice(0, -1);
  return [...counted, ...plans.flatMap(planLines)].join('\n');
}

function planLines({ cell, found, from, to, due, parts }: CellDrain): readonly string[] {
  const begun = parts.filter(({ begun: known }) => known !== undefined).length;
  const ahead = found.consumers.filter(({ records }) => records < found.records);
  return [
    `${cell.name}: what arrived in ${from.stream} in ${from.region} from ${iso(due.fromMs)} to ${iso(due.toMs)}`,
    `  goes to ${to.stream} in ${to.region}${begun === 0 ? '' : `; ${begun} earlier runs are gone on with`}`,
    ...ahead.map(
      ({ name, records }) =>
        `  ${name} has read ${found.records - records} of them, and its like there gets them again`,
    ),
  ];
}

const iso = (ms: number): string => new Date(ms).toISOString();

async function copy(scene: Scene, plan: CellDrain): Promise<Copied> {
  const { io, flags, clients, signal } = scene;
  const { colors, err: say } = io;
  const warn = (text: string): void => say(`${colors.yellow('warning')} ${plan.cell.name}: ${text}`);
  const done = await drainCell(plan, {
    directory: io.directory,
    envelope: flags.envelope === true,
    allowAggregated: flags.allowAggregated === true,
    dryRun: flags.dryRun === true,
    clientOf: (region) => clients.kinesis(region),
    signal,
    onProgress: (progress) => say(`${plan.cell.name}: ${progressLine(progress)}`),
    onExpired: (keptFromMs) => warn(`${plan.from.stream} keeps records only from ${iso(keptFromMs)}`),
    onCreatedAgain: () => warn(CREATED_AGAIN),
    onUnordered: () =>
      warn(`${plan.to.stream} has service-managed distribution: the copies are in no order there`),
  });
  return { plan, done, marked: flags.dryRun ? undefined : await mark(scene, plan, done) };
}

async function mark(scene: Scene, plan: CellDrain, done: CellDrained): Promise<Marked> {
  const { io, flags, config, clients, role } = scene;
  const { consumers: _, ...cell } = plan.cell;
  const moves = await readMoves(config, clients);
  const after = await look({ ...scene, flags: { ...flags, since: plan.due.toMs } }, [cell], moves);
  const [found] = after.cells;
  const { owner } = await caller(clients, { region: config.regions.standby, owner: flags.owner });
  return markIfCovered(plan, done, {
    table: stateTable(config, clients, TABLE_TIMEOUT_MS),
    ...{ owner, nowMs: io.nowMs(), id: randomUUID(), moves, role },
    reason: flags.reason ?? `drained what epoch ${plan.epoch} stranded of ${plan.cell.name}`,
    later: found?.complete ? found.records : null,
  });
}

function nothing(document: StrandedDocument, io: Io): Outcome {
  const { ok, findings } = document;
  return {
    exit: ok ? exitCodes.done : exitCodes.unhealthy,
    document: { ok, name: 'drain', cells: [], findings },
    screen: `${strandedScreen(document, io)}\nNothing to copy.`,
  };
}

function outcome(copied: readonly Copied[], flags: CellsFlags, io: Io): Outcome {
  const dry = flags.dryRun === true;
  const ok = dry || copied.every(({ marked }) => marked?.gaps.length === 0);
  return {
    exit: ok ? exitCodes.done : exitCodes.unhealthy,
    document: { ok, name: 'drain', dryRun: dry, cells: copied.map(facts) },
    screen: copied.flatMap((one) => screenLines(one, io)).join('\n'),
  };
}

function facts({ plan: { cell, epoch, from, to, due }, done, marked }: Copied): object {
  return {
    ...{ cell: cell.name, epoch, from, to, window: due, ...done.counts },
    checkpoints: done.parts.map(({ file }) => file),
    ...(marked !== undefined && {
      drained: marked.marked,
      gaps: marked.gaps,
      journaled: marked.journaled,
    }),
  };
}

function screenLines({ plan, done, marked }: Copied, { colors }: Io): readonly string[] {
  const { cell, from, to } = plan;
  const { counts } = done;
  const due = counts.read - counts.probes;
  const places = `${from.stream} in ${from.region}`;
  const target = `${to.stream} in ${to.region}`;
  if (marked === undefined)
    return [`${cell.name}: ${due} records would be copied from ${places} to ${target} (${kinds(counts)})`];
  return [
    `${colors.green('done')}: ${cell.name}: ${due} records of ${places} are in ${target}`,
    `  ${counts.copied} copied, ${counts.alreadyThere} already there (${kinds(counts)})`,
    ...(marked.marked
      ? [
          `  ${colors.green('marked as drained')}, of epoch ${plan.epoch}${marked.journaled ? '' : '; the journal does not say so, because it could not be written'}`,
        ]
      : [
          ...marked.gaps.map((gap) => `  ${colors.yellow('not marked as drained')}: ${gap}`),
          ...(marked.gaps.length === 0
            ? []
            : [`  if you know better: spillway drained --cells ${cell.name} --reason "…"`]),
        ]),
  ];
}

const kinds = (counts: DrainCounts): string =>
  `${counts.bytes} bytes, ${counts.aggregates} aggregates taken apart, ${counts.damaged} damaged${leftOut(counts)}`;
