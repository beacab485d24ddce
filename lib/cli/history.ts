import { Command } from 'commander';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import { explained } from '../operate/credentials.ts';
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
    .addHelpText('after', '\nExample:\n  spillway history --limit 10')
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
    const entries = await state.history(flags.limit ?? DEFAULT_LIMIT);
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

export function historyScreen(entries: readonly JournalEntry[], columns: number): string {
  if (entries.length === 0) return 'The journal is empty.';
  const rows = entries.map(({ atMs, who, what, why, epoch, group }) => [
    new Date(atMs).toISOString().replace('T', ' ').slice(0, 19),
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
