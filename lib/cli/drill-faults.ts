import { Command, Option } from 'commander';
import { workDirectory } from '../files/own-files.ts';
import { askWorld } from '../local/drill/control-client.ts';
import { begunSchema, controlPaths, type EndedAnswer, endedSchema } from '../local/drill/control-protocol.ts';
import type { FaultLine, FaultsBegun } from '../local/drill/fault-control.ts';
import { UsageError } from '../operate/errors.ts';
import { findWorld, readWorld, type World } from '../operate/world.ts';
import { formatDuration } from '../scenario/duration.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { shellLine } from '../shell/shell-words.ts';
import { userName } from './drill-turn.ts';
import type { Io } from './io.ts';
import { type OutputFlags, withJson } from './options.ts';
import { type Outcome, perform } from './verb.ts';

interface FaultsFlags extends OutputFlags {
  readonly world?: string;
  readonly local?: true;
}

/** `spillway drill end-faults`: ends the outage of a kept world now, so that a failback can be rehearsed. */
export function endFaultsCommand(io: Io): Command {
  return ofKeptWorld(
    new Command('end-faults').description(
      'End the faults of a world that `spillway drill --keep` left standing, and say from when a failback is possible.',
    ),
  )
    .addHelpText('after', '\nExample:\n  spillway drill end-faults && spillway status --local --watch')
    .action((flags: FaultsFlags, command: Command) =>
      perform(io, flags, async () => {
        const world = await worldOf(io, flags, command);
        const answer = await askWorld(world, {
          path: controlPaths.end,
          by: userName(),
          schema: endedSchema,
        });
        const nextCommand = nextAfterEnd(answer, world.file);
        return done({ ...answer, nextCommand }, endedText(answer, world.file));
      }),
    );
}

/** `spillway drill begin-faults`: plays the outage again in the same world. */
export function beginFaultsCommand(io: Io): Command {
  return ofKeptWorld(
    new Command('begin-faults').description('Play the scenario of a kept world again, from its first fault.'),
  )
    .addHelpText('after', '\nExample:\n  spillway drill begin-faults --local')
    .action((flags: FaultsFlags, command: Command) =>
      perform(io, flags, async () => {
        const world = await worldOf(io, flags, command);
        const answer = await askWorld(world, {
          path: controlPaths.begin,
          by: userName(),
          schema: begunSchema,
        });
        return done(answer, begunText(answer));
      }),
    );
}

const ofKeptWorld = (command: Command): Command =>
  withJson(
    command
      .addOption(new Option('--world <file>', 'the world.json of the kept world').conflicts('local'))
      .option('--local', 'the one local world that is running (this is the default)'),
  );

const done = (answer: object, screen: string): Outcome => ({
  exit: exitCodes.done,
  document: { ok: true, ...answer },
  screen,
});

/** Finds the world. A deployment has no faults to end, so the local world is meant even without an option. */
async function worldOf(io: Io, { world }: FaultsFlags, command: Command): Promise<World> {
  const before = command.parent?.options.find(
    (option) =>
      option.long !== '--json' && command.parent?.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (before !== undefined) {
    throw new UsageError(
      `${before.long} stands before ${command.name()}: write its options after ${command.name()}.`,
    );
  }
  return world === undefined ? findWorld(workDirectory()) : readWorld(world, io.directory);
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
const lineOf = ({ text, untilMs }: FaultLine): string => `  ${text} (it would have ended ${timeOf(untilMs)})`;

/** The text for the screen of the command, and for the terminal of the drill. */
export function endedText({ atMs, ended, cancelled, failback }: EndedAnswer, worldFile: string): string {
  const first =
    ended.length === 0
      ? `${timeOf(atMs)}: no fault was in force.`
      : `${timeOf(atMs)}: ${ended.length === 1 ? 'this fault is' : `these ${ended.length} faults are`} ended:`;
  return [
    first,
    ...ended.map(lineOf),
    ...(cancelled.length === 0 ? [] : [`  and ${cancelled.length} that were still to come are cancelled.`]),
    failbackText(failback),
    `next: ${nextAfterEnd({ failback }, worldFile)}`,
  ].join('\n');
}

function failbackText({ held, recoveryMs, earliestMs }: EndedAnswer['failback']): string {
  if (!held) return 'No switch holds traffic in the standby: there is nothing to fail back.';
  return [
    `A failback is possible from ${timeOf(earliestMs)} at the earliest: the primary has to be healthy for ${formatDuration(recoveryMs)},`,
    'counted from when the observers see it healthy, some minutes from now; spillway status shows the time. Until then a failback is refused.',
  ].join('\n');
}

const nextAfterEnd = ({ failback }: Pick<EndedAnswer, 'failback'>, worldFile: string): string =>
  shellLine(
    failback.held
      ? ['spillway', 'failback', '--all', '--pause', '50s', '--world', worldFile, '--reason', 'rehearsal']
      : ['spillway', 'status', '--world', worldFile],
  );

export function begunText({ atMs, inForce, toCome }: FaultsBegun): string {
  const line = ({ text, sinceMs, untilMs }: FaultLine): string =>
    `  ${text}, from ${timeOf(sinceMs)} to ${timeOf(untilMs)}`;
  return [`${timeOf(atMs)}: the scenario begins again.`, ...[...inForce, ...toCome].map(line)].join('\n');
}
