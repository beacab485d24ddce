import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { type LocalStack, startLocalStack } from '../local/localstack/localstack.ts';
import { createRunDirectory } from '../local/run-directory.ts';
import { colors } from './colors.ts';
import { enterRegister } from './drill-turn.ts';
import { exitCodes } from './exit-codes.ts';
import { type Interruption, interruption } from './interruption.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface LocalFlags {
  readonly port?: number;
  readonly json?: true;
}

/** `spillway local`: LocalStack without Docker, in the foreground until Ctrl-C. */
export function localCommand(): Command {
  return new Command('local')
    .description('Start LocalStack on this machine, without Docker, and keep it up until Ctrl-C.')
    .option('--port <number>', 'the port on 127.0.0.1 (default: a free one)', portArgument)
    .option('--json', 'print one line of JSON to standard output when it is up')
    .addHelpText('after', '\nExample:\n  spillway local --port 4566')
    .action(async (flags: LocalFlags) => {
      process.exitCode = await runLocal(flags);
    });
}

async function runLocal(flags: LocalFlags): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const interrupted = interruption(() => say('stopping LocalStack (Ctrl-C again ends at once)'));
  try {
    return await keepUp(flags, interrupted, say);
  } catch (error) {
    if (interrupted.signal.aborted) return exitCodes.interrupted;
    say(`${colors.red('error')} ${error instanceof Error ? error.message : String(error)}`);
    return exitCodes.failed;
  } finally {
    interrupted.dispose();
  }
}

async function keepUp(
  flags: LocalFlags,
  { signal }: Interruption,
  say: (line: string) => void,
): Promise<number> {
  const ended = Promise.withResolvers<string | undefined>();
  const localStack = await startLocalStack({
    directory: await createRunDirectory(root, Date.now(), process.pid),
    onProgress: say,
    onExit: ended.resolve,
    signal,
    ...(flags.port === undefined ? {} : { port: flags.port }),
  });
  const entry = await enterRegister({ activity: 'localstack', what: localStack.url });
  process.stdout.write(`${flags.json ? facts(localStack) : instructions(localStack)}\n`);
  // An external LocalStack has no process here that would keep this one alive.
  const alive = setInterval(() => {}, 60_000);
  signal.addEventListener('abort', () => ended.resolve(undefined), { once: true });
  if (signal.aborted) ended.resolve(undefined);
  const reason = await ended.promise;
  clearInterval(alive);
  await entry?.leave();
  await localStack.stop();
  if (reason === undefined) return exitCodes.done;
  say(`${colors.red('error')} ${reason}`);
  return exitCodes.failed;
}

function facts({ url, port, logFile, external }: LocalStack): string {
  return JSON.stringify({ url, port, logFile, external, pid: process.pid });
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
