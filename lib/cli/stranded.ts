import { Command } from 'commander';
import { ofAsker } from '../operate/credentials.ts';
import { cellsNamed, readMoves, roleOfRegion, strandedIn } from '../operate/stranded.ts';
import { clientsFor, resolveTarget } from '../operate/target.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import {
  durationOption,
  listArgument,
  type OutputFlags,
  pastArgument,
  type TargetFlags,
  withJson,
  withTarget,
} from './options.ts';
import { strandedScreen } from './screens/stranded.ts';
import { progress } from './spinner.ts';
import { type Outcome, perform } from './verb.ts';

interface StrandedFlags extends TargetFlags, OutputFlags {
  readonly cells?: readonly string[];
  readonly since?: number;
  readonly region?: string;
  readonly within: number;
}

/** Longest wait for one call; the reading of streams has its own, shorter one. */
const CALL_TIMEOUT_MS = 10_000;
const DEFAULT_WITHIN_MS = 120_000;

/** `spillway stranded`: what was written to the old stream and not read there. Changes nothing. */
export function strandedCommand(io: Io): Command {
  return withJson(
    withTarget(
      new Command('stranded').description(
        'Count what was written to the old streams and not read there: by consumer, with the hours until it expires.',
      ),
    ),
  )
    .option('--cells <names>', 'cells, or groups of them, separated by commas (default: all)', listArgument)
    .option(
      '--since <time>',
      'where consumers had come whose checkpoints nobody can see, like 2026-11-25T03:10Z or 20m ago',
      pastArgument(io.nowMs),
    )
    .option('--region <region>', 'where the old streams are (default: the primary)')
    .addOption(
      durationOption('--within <duration>', 'stop counting after this long, and say "at least"', {
        defaultMs: DEFAULT_WITHIN_MS,
      }),
    )
    .addHelpText(
      'after',
      '\nReads at most four times a second from a shard, of the five that Kinesis allows to all consumers together.\n' +
        'Exit status: 0 nothing is stranded; 4 something is, or it is not known, as while the region still fails: ask again\n' +
        'when it has recovered; 2 wrong usage; 130 interrupted.\n\nExamples:\n  spillway stranded --cells orders\n' +
        '  spillway stranded --cells orders --since 2026-11-25T03:10Z --json',
    )
    .action((flags: StrandedFlags) => perform(io, flags, () => stranded(io, flags)));
}

async function stranded(io: Io, flags: StrandedFlags): Promise<Outcome> {
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  const { config } = target;
  const role = roleOfRegion(config, flags.region);
  const cells = cellsNamed(config, flags.cells);
  const clients = clientsFor(target, { who: 'cli stranded', timeoutMs: CALL_TIMEOUT_MS, say: io.err });
  const shown = progress(io);
  const interrupted = interruption(() => shown.say('interrupted: nothing was changed'));
  try {
    await clients.prepare([config.regions[role], config.regions.standby]);
    const document = await strandedIn({
      ...{ config, clients, cells, role, nowMs: io.nowMs, withinMs: flags.within },
      moves: await readMoves(config, clients),
      ...(flags.since !== undefined && { sinceMs: flags.since }),
      signal: interrupted.signal,
      onProgress: (text) => shown.say(text),
    });
    shown.stop();
    return {
      exit: document.ok ? exitCodes.done : exitCodes.unhealthy,
      document,
      screen: strandedScreen(document, { colors: io.colors, columns: io.columns }),
    };
  } catch (error) {
    throw ofAsker(error);
  } finally {
    shown.stop();
    interrupted.dispose();
    clients.destroy();
  }
}
