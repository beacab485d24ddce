import { existsSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { modes } from '../../lambda/core/policy.ts';
import { probeModes } from '../../lambda/core/watched-cells.ts';
import { ConfigError } from '../config/errors.ts';
import { configExtensions, configFileNames } from '../config/load.ts';
import { isClone } from '../files/own-files.ts';
import { estimate } from '../operate/cost.ts';
import { UsageError } from '../operate/errors.ts';
import { defaultConfigName, writeApp } from '../operate/init-app.ts';
import { type Answers, configFile, proposalsFor } from '../operate/init-config.ts';
import { problemsOf } from '../operate/init-problems.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { costScreen } from './cost.ts';
import type { Io } from './io.ts';
import { listArgument, type OutputFlags, withJson } from './options.ts';
import { type Outcome, perform } from './verb.ts';

export interface InitFlags extends OutputFlags {
  readonly name?: string;
  readonly zoneId?: string;
  readonly zone?: string;
  readonly streams?: readonly string[];
  readonly primary?: string;
  readonly standby?: string;
  readonly witnesses?: readonly string[];
  readonly probe?: string;
  readonly mode?: string;
  readonly drill?: boolean;
  readonly out?: string;
  readonly force?: true;
}

const proposals = proposalsFor({});
/** A clone has the app already. */
const none = { written: [], advice: [] } as const;

/**
 * `spillway init`: writes a config. Asks on a terminal, unless flags give every value that has no proposal.
 */
export function initCommand(io: Io): Command {
  return withJson(
    new Command('init').description(
      'Write a config, and show what it costs. On a terminal, asks for values that no flag gives; with --zone-id, --zone and --streams, never asks.',
    ),
  )
    .option('--name <name>', `prefix of every physical name (default: ${proposals.name})`)
    .option('--zone-id <id>', 'id of the public hosted zone, which must exist already')
    .option('--zone <name>', 'name of the zone, like shop.example.com')
    .option('--streams <names>', 'Kinesis streams to protect, separated by commas', listArgument)
    .option('--primary <region>', `default: ${proposals.primary}`)
    .option('--standby <region>', `default: ${proposals.standby}`)
    .option('--witnesses <regions>', `default: ${proposals.witnesses.join(',')}`, listArgument)
    .option(
      '--probe <when>',
      `whether observers may put marked records into these streams, where your consumers see them (docs/envelope.md): ${probeModes.join(', ')} (default: never)`,
    )
    .option('--mode <mode>', `${modes.join(', ')} (default: ${proposals.mode})`)
    .option(
      '--drill',
      'add a cell without traffic, which is moved each week to prove that a failover works (default)',
    )
    .option('--no-drill', 'leave out the drill cell')
    .option(
      '--out <file>',
      `a ${configExtensions.join(', ')} file (default: ${configFileNames[0]}, or .mts where .ts files are not ES modules)`,
    )
    .option('--force', 'overwrite an existing config')
    .addHelpText(
      'after',
      '\nExample:\n  spillway init --name shop --zone-id Z0123456789ABCDEFGHIJ --zone shop.example.com --streams orders,clicks',
    )
    .action((flags: InitFlags) => perform(io, flags, () => init(io, flags)));
}

async function init(io: Io, flags: InitFlags): Promise<Outcome> {
  const file = fileFor(io, flags);
  const { config, text } = configFile(await answersFrom(io, flags), file);
  await write(file, text, flags);
  const app = isClone ? none : await writeApp({ directory: io.directory, config: file });
  const cost = estimate(config);
  return {
    exit: exitCodes.done,
    document: { ok: true, file, config, cost, ...(app.written.length > 0 ? { app: app.written } : {}) },
    screen: [
      `written: ${[file, ...app.written].join(', ')}`,
      ...app.advice,
      `mode ${config.policy.mode}; ${config.drill === undefined ? 'no drills' : `drills of cell ${config.drill.cell}, weekly`}`,
      '',
      costScreen(cost, io.columns),
      '',
      'Next: spillway doctor, npx cdk bootstrap, spillway deploy',
    ].join('\n'),
  };
}

/**
 * Chooses the file before the first question, so that nobody answers all questions only to learn that the
 * file cannot be written.
 */
function fileFor({ directory }: Io, { out, force }: InitFlags): string {
  const known = configFileNames.map((name) => join(directory, name));
  const there = known.filter((path) => existsSync(path));
  const file =
    out === undefined ? (there[0] ?? join(directory, defaultConfigName(directory))) : resolve(directory, out);
  if (!configExtensions.some((extension) => extension === extname(file))) {
    throw new UsageError(`${file} is neither a .ts, .mts nor .json file: name one with --out.`);
  }
  if (statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`${dirname(file)} is no directory: create it, or choose another file with --out.`);
  }
  const other = known.includes(file) ? there.find((path) => path !== file) : undefined;
  if (other !== undefined) {
    throw new UsageError(
      `${other} exists, and every verb refuses two configs in one directory: remove it, or choose a third name with --out.`,
    );
  }
  if (existsSync(file) && !force) throw isThere(file);
  return file;
}

const isThere = (file: string): UsageError =>
  new UsageError(`${file} exists already: choose another file with --out, or overwrite with --force.`);

async function write(file: string, text: string, { force }: InitFlags): Promise<void> {
  try {
    await writeFile(file, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    // Another process has written the file while the questions were open.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw isThere(file);
    throw new UsageError(`${file} cannot be written: choose another with --out. ${String(error)}`, {
      cause: error,
    });
  }
}

async function answersFrom(io: Io, flags: InitFlags): Promise<Answers> {
  const given = givenBy(flags);
  const { zoneId, zoneName, streams } = given;
  if (zoneId !== undefined && zoneName !== undefined && streams !== undefined) {
    return { ...given, zoneId, zoneName, streams };
  }
  if (!io.interactive || flags.json) {
    throw new UsageError(
      'Give --zone-id, --zone and --streams; on a terminal you are asked for what you leave out.',
    );
  }
  const problems = problemsOf(given);
  if (problems.length > 0) throw new ConfigError('spillway init', problems);
  const { askForConfig } = await import('./init-prompts.ts');
  return askForConfig(given, { input: process.stdin, output: process.stderr });
}

function givenBy({ zone, ...flags }: InitFlags): Partial<Answers> {
  const { name, zoneId, streams, primary, standby, witnesses, probe, mode, drill } = flags;
  const all = { name, zoneId, zoneName: zone, streams, primary, standby, witnesses, probe, mode, drill };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
