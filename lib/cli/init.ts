import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { modes } from '../../lambda/core/policy.ts';
import { estimate } from '../operate/cost.ts';
import { UsageError } from '../operate/errors.ts';
import { type Answers, configFile } from '../operate/init-config.ts';
import { costScreen } from './cost.ts';
import { exitCodes } from './exit-codes.ts';
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
  readonly mode?: string;
  readonly drill?: true;
  readonly out?: string;
  readonly force?: true;
}

const DEFAULT_FILE = 'spillway.config.ts';
const FILES = [DEFAULT_FILE, 'spillway.config.json'] as const;

/** `spillway init`: writes a config. Asks on a terminal, and only when no flag says anything. */
export function initCommand(io: Io): Command {
  return withJson(
    new Command('init').description(
      'Write a config, and say what it costs. Asks on a terminal; with flags it never asks.',
    ),
  )
    .option('--name <name>', 'prefix of every physical name')
    .option('--zone-id <id>', 'the public hosted zone that exists already')
    .option('--zone <name>', 'its name, like shop.example.com')
    .option('--streams <names>', 'Kinesis streams to protect, separated by commas', listArgument)
    .option('--primary <region>', 'default: us-east-1')
    .option('--standby <region>', 'default: us-west-2')
    .option('--witnesses <regions>', 'default: us-east-2,eu-west-1', listArgument)
    .option('--mode <mode>', modes.join(', '))
    .option('--drill', 'add a cell without traffic, which is moved each week to prove that it works')
    .option('--out <file>', `a .ts or .json file (default: ${DEFAULT_FILE})`)
    .option('--force', 'overwrite a config that is there')
    .addHelpText(
      'after',
      '\nExample:\n  spillway init --name shop --zone-id Z0123456789ABCDEFGHIJ --zone shop.example.com --streams orders,clicks',
    )
    .action((flags: InitFlags) => perform(io, flags, () => init(io, flags)));
}

async function init(io: Io, flags: InitFlags): Promise<Outcome> {
  const file = resolve(io.directory, flags.out ?? DEFAULT_FILE);
  const there = [file, ...FILES.map((name) => join(io.directory, name))].find((path) => existsSync(path));
  // Two configs in one directory would be refused by every other verb.
  if (there !== undefined && !flags.force && (flags.out === undefined || there === file)) {
    throw new UsageError(`${there} is there already: choose another with --out, or overwrite with --force.`);
  }
  const { config, text } = configFile(await answersFrom(io, flags), file);
  await writeFile(file, text).catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be written: choose another with --out. ${String(cause)}`, { cause });
  });
  const cost = estimate(config);
  return {
    exit: exitCodes.done,
    document: { ok: true, file, config, cost },
    screen: [
      `written: ${file}`,
      '',
      costScreen(cost, io.columns),
      '',
      'Next: spillway doctor, npx cdk bootstrap, npx cdk deploy --all',
    ].join('\n'),
  };
}

async function answersFrom(io: Io, flags: InitFlags): Promise<Answers> {
  const { name, zoneId, zone, streams, primary, standby, witnesses, mode, drill } = flags;
  const said = [name, zoneId, zone, streams].filter((value) => value !== undefined).length;
  if (said === 0 && io.interactive && !flags.json) {
    const { askForConfig } = await import('./init-prompts.ts');
    return askForConfig();
  }
  if (name === undefined || zoneId === undefined || zone === undefined || streams === undefined) {
    throw new UsageError(
      'Say --name, --zone-id, --zone and --streams; or say none of them on a terminal, to be asked.',
    );
  }
  return {
    name,
    zoneId,
    zoneName: zone,
    streams,
    ...(primary === undefined ? {} : { primary }),
    ...(standby === undefined ? {} : { standby }),
    ...(witnesses === undefined ? {} : { witnesses }),
    ...(mode === undefined ? {} : { mode }),
    ...(drill ? { drill } : {}),
  };
}
