import { Command, InvalidArgumentError } from 'commander';
import { workDirectory } from '../files/own-files.ts';
import { LocalStackEndedError } from '../local/localstack/errors.ts';
import { type LocalStack, startLocalStack } from '../local/localstack/localstack.ts';
import { createRunDirectory } from '../local/run-directory.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { enterRegister } from './drill-turn.ts';
import { type Interruption, interruption } from './interruption.ts';
import type { Io } from './io.ts';
import { type OutputFlags, withJson } from './options.ts';
import { type End, perform, type Tell } from './verb.ts';

interface LocalFlags extends OutputFlags {
  readonly port?: number;
}

/** `spillway local`: LocalStack without Docker, in the foreground until Ctrl-C. */
export function localCommand(io: Io): Command {
  return withJson(
    new Command('local').description(
      'Start LocalStack on this machine, without Docker, and keep it up until Ctrl-C.',
    ),
  )
    .option('--port <number>', 'the port on 127.0.0.1 (default: a free one)', portArgument)
    .addHelpText('after', '\nExample:\n  spillway local --port 4566')
    .action((flags: LocalFlags) => perform(io, flags, (tell) => local(io, flags, tell)));
}

async function local({ err: say }: Io, flags: LocalFlags, tell: Tell): Promise<End> {
  const interrupted = interruption(() => say('stopping LocalStack (Ctrl-C again ends immediately)'));
  try {
    return await keepUp(flags, { interrupted, say, tell });
  } catch (error) {
    throw interrupted.signal.aborted ? interrupted.signal.reason : error;
  } finally {
    interrupted.dispose();
  }
}

interface Around {
  readonly interrupted: Interruption;
  readonly say: (line: string) => void;
  readonly tell: Tell;
}

async function keepUp(flags: LocalFlags, { interrupted, say, tell }: Around): Promise<End> {
  const { signal } = interrupted;
  const ended = Promise.withResolvers<string | undefined>();
  const localStack = await startLocalStack({
    directory: await createRunDirectory(workDirectory(), Date.now(), process.pid),
    onProgress: say,
    onExit: ended.resolve,
    signal,
    ...(flags.port === undefined ? {} : { port: flags.port }),
  });
  const entry = await enterRegister({ activity: 'localstack', what: localStack.url });
  tell({ document: facts(localStack), screen: instructions(localStack) });
  // An external LocalStack has no process here that would keep this one alive.
  const alive = setInterval(() => {}, 60_000);
  signal.addEventListener('abort', () => ended.resolve(undefined), { once: true });
  if (signal.aborted) ended.resolve(undefined);
  const reason = await ended.promise;
  clearInterval(alive);
  await entry?.leave();
  await localStack.stop();
  if (reason !== undefined) throw new LocalStackEndedError(reason);
  return { exit: exitCodes.done };
}

function facts({ url, port, logFile, external }: LocalStack): object {
  return { ok: true, url, port, logFile, external, pid: process.pid };
}

function instructions({ url, logFile }: LocalStack): string {
  return [
    `LocalStack is up at ${url} (log: ${logFile}). For the AWS CLI, the SDKs and the CDK:`,
    '',
    `  export AWS_ENDPOINT_URL=${url} AWS_ENDPOINT_URL_S3=${url}`,
    '  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1',
    '',
    `Drills use it with SPILLWAY_LOCALSTACK_URL=${url}. Ctrl-C stops it.`,
  ].join('\n');
}

function portArgument(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new InvalidArgumentError('A port is a whole number from 1 to 65535.');
  }
  return port;
}
