import { Command } from 'commander';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import type { WouldHaveMoved } from '../../lambda/core/would.ts';
import { explained } from '../operate/credentials.ts';
import { named } from '../operate/named.ts';
import { lastRunEnd } from '../operate/run-end.ts';
import { stateTable } from '../operate/state.ts';
import { clientsFor, resolveTarget } from '../operate/target.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Io } from './io.ts';
import { type OutputFlags, type TargetFlags, wholeArgument, withJson, withTarget } from './options.ts';
import { table } from './table.ts';
import { type Outcome, perform } from './verb.ts';

const DEFAULT_LIMIT = 30;
const TABLE_TIMEOUT_MS = 3_000;

interface HistoryFlags extends TargetFlags, OutputFlags {
  readonly limit?: number;
  readonly would?: true;
}

/** `spillway history`: the journal, newest first. */
export function historyCommand(io: Io): Command {
  return withJson(
    withTarget(new Command('history').description('Show who did what, when and why; newest first.')),
  )
    .option(
      '--limit <n>',
      `entries, at most 1000 (default: ${DEFAULT_LIMIT})`,
      wholeArgument({ min: 1, max: 1_000 }),
    )
    .option('--would', 'moves that the mode alone has held back: what would have moved by itself')
    .addHelpText(
      'after',
      '\nExamples:\n  spillway history --limit 10\n  spillway history --would\n\nMoves that would have been are kept with the time since when a quorum asked for them.',
    )
    .action((flags: HistoryFlags) => perform(io, flags, () => history(io, flags)));
}

async function history(io: Io, flags: HistoryFlags): Promise<Outcome> {
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  const clients = clientsFor(target, {
    who: 'cli history',
    timeoutMs: TABLE_TIMEOUT_MS,
    say: io.err,
  });
  const { standby: region } = target.config.regions;
  try {
    await clients.prepare([region]);
    const state = stateTable(target.config, clients, TABLE_TIMEOUT_MS);
    const limit = flags.limit ?? DEFAULT_LIMIT;
    if (flags.would) return wouldOutcome(await state.readWould(limit), io.columns);
    const entries = await state.history(limit);
    const document = entries.map((entry) => ({ at: new Date(entry.atMs).toISOString(), ...entry }));
    return {
      exit: exitCodes.done,
      document: { ok: true, entries: document },
      screen: historyScreen(entries, io.columns),
    };
  } catch (error) {
    throw await explained(error, { clients, region });
  } finally {
    clients.destroy();
  }
}

function wouldOutcome(moves: readonly WouldHaveMoved[], columns: number): Outcome {
  const would = moves.map((move) => ({ since: new Date(move.sinceMs).toISOString(), ...move }));
  return { exit: exitCodes.done, document: { ok: true, would }, screen: wouldScreen(moves, columns) };
}

export function wouldScreen(moves: readonly WouldHaveMoved[], columns: number): string {
  if (moves.length === 0) return 'The mode has held no move back.';
  const rows = moves.map(({ sinceMs, scope, cells, reason, who }) => [
    timeOf(sinceMs),
    // A move of the region names no cells; a group may have the same name.
    cells.length === 0 ? 'the region' : scope,
    cells.length === 0 ? 'every cell' : named(cells),
    who,
    reason,
  ]);
  return table(['since (UTC)', 'scope', 'cells', 'recorded by', 'reason'], rows, { columns });
}

const timeOf = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 19);

export function historyScreen(entries: readonly JournalEntry[], columns: number): string {
  if (entries.length === 0) return 'The journal is empty.';
  const rows = entries.map(({ atMs, who, what, why, epoch, group }) => [
    timeOf(atMs),
    what,
    epoch === undefined ? '' : String(epoch),
    group ?? '',
    shortName(who),
    why,
  ]);
  const lines = table(['when (UTC)', 'what', 'epoch', 'group', 'who', 'why'], rows, { columns });
  return [lines, ...endLines(entries)].join('\n');
}

/** The findings of the newest run, in full: the table has no room for them, and they may need an act. */
function endLines(entries: readonly JournalEntry[]): readonly string[] {
  const end = lastRunEnd(entries);
  if (end === undefined || (end.findings.length === 0 && end.nextCommand === undefined)) return [];
  return [
    '',
    `the last run, ${end.run}, ended as ${end.state}`,
    ...end.findings.map((finding) => `  ${finding}`),
    ...(end.nextCommand === undefined ? [] : [`next: ${end.nextCommand}`]),
  ];
}

/**
 * Shortens a name: the account says nothing new on a screen, and pushes the reason off it. The document has
 * the whole name.
 */
const shortName = (who: string): string => who.replaceAll(/arn:[\w-]+:(?:iam|sts)::\d*:/g, '');
