import { resolve } from 'node:path';
import { Command } from 'commander';
import { drainSpool } from '../producer/spool/drain.ts';
import { SpoolDirectoryError, SpoolError } from '../producer/spool/errors.ts';
import { inspectSpool, requireSpool } from '../producer/spool/inspection.ts';
import { Spool, type SpoolProblem } from '../producer/spool/spool.ts';
import { sdkTransport } from '../producer/transport.ts';
import { colors } from './colors.ts';
import { exitCodes } from './exit-codes.ts';
import { interruption } from './interruption.ts';
import { damageText, inspectionText, isHarmed } from './spool-report.ts';

interface JsonFlag {
  readonly json?: true;
}

interface DrainFlags extends JsonFlag {
  readonly stream: string;
  readonly region: string;
  readonly endpoint?: string;
}

const JSON_OPTION = ['--json', 'print one line of JSON to standard output'] as const;
const PROGRESS_EVERY_MS = 1_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** Where results go, and what is said meanwhile. */
export interface Output {
  readonly print: (text: string) => void;
  readonly say: (line: string) => void;
}

const processOutput: Output = {
  print: (text) => void process.stdout.write(`${text}\n`),
  say: (line) => void process.stderr.write(`${line}\n`),
};

/** `spillway spool`: looks after the directory in which a producer keeps records that no region takes. */
export function spoolCommand(output: Output = processOutput): Command {
  const run = runWith(output);
  const spool = new Command('spool')
    .description("Look into a producer's spool, check, mend or empty it.")
    .addHelpText('after', '\nExample:\n  spillway spool inspect /var/lib/orders/spool');
  const verb = (name: string, description: string): Command =>
    spool
      .command(name)
      .description(description)
      .argument('<directory>', "the producer's `spool.directory`")
      .option(...JSON_OPTION);
  verb('inspect', 'Say what is in it, and who owns it.').action(run(inspect));
  verb('verify', 'Read every record and check it; change nothing. Status 1 when something is wrong.').action(
    run(verify),
  );
  verb(
    'repair',
    'Cut torn ends, move damage to quarantine, mend the cursor. Not while a producer owns it.',
  ).action(run(repair));
  verb('drain', 'Send everything to a stream, in order per key. Goes on where it stopped.')
    .requiredOption('--stream <name>', 'the stream to send to')
    .requiredOption('--region <name>', 'its region')
    .option('--endpoint <url>', "Kinesis' base URL, instead of AWS's own")
    .addHelpText(
      'after',
      '\nExample:\n  spillway spool drain /var/lib/app/spool --stream orders --region us-west-2',
    )
    .action(run(drain));
  return spool;
}

type Verb<F> = (directory: string, flags: F, output: Output) => Promise<number>;

/** An action that sets the exit status, and tells the errors that a user can do something about in one line. */
function runWith(output: Output) {
  return <F>(verb: Verb<F>) =>
    (directory: string, flags: F): Promise<void> =>
      perform(() => verb(resolve(directory), flags, output), output);
}

async function perform(work: () => Promise<number>, { say }: Output): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    if (!(error instanceof SpoolError)) throw error;
    say(`${colors.red('error')} ${error.message}`);
    process.exitCode = error instanceof SpoolDirectoryError ? exitCodes.usage : exitCodes.failed;
  }
}

async function inspect(directory: string, { json }: JsonFlag, { print }: Output): Promise<number> {
  const inspection = await inspectSpool(directory);
  print(json ? JSON.stringify(inspection) : inspectionText(inspection, Date.now()));
  return exitCodes.done;
}

async function verify(directory: string, { json }: JsonFlag, { print }: Output): Promise<number> {
  const inspection = await inspectSpool(directory);
  const ok = !isHarmed(inspection);
  print(json ? JSON.stringify({ ok, ...inspection }) : damageText(inspection));
  return ok ? exitCodes.done : exitCodes.failed;
}

async function repair(directory: string, { json }: JsonFlag, { print }: Output): Promise<number> {
  await requireSpool(directory);
  const problems: SpoolProblem[] = [];
  const spool = await Spool.open({ directory, onProblem: (problem) => problems.push(problem) });
  const { records, tornBytes, quarantinedRanges, quarantinedBytes } = spool.stats();
  await spool.close();
  const messages = problems.map(({ message }) => message);
  if (json)
    print(JSON.stringify({ records, tornBytes, quarantinedRanges, quarantinedBytes, problems: messages }));
  else
    print(
      [...messages, `${messages.length === 0 ? 'Nothing to mend' : 'Mended'}: ${records} records.`].join(
        '\n',
      ),
    );
  return exitCodes.done;
}

async function drain(
  directory: string,
  { stream, region, endpoint, json }: DrainFlags,
  { print, say }: Output,
): Promise<number> {
  await requireSpool(directory);
  const interrupted = interruption(() => say('stopping after this request (Ctrl-C again ends at once)'));
  const spool = await Spool.open({ directory, onProblem: ({ message }) => say(message) }).catch(
    (error: unknown) => {
      interrupted.dispose();
      throw error;
    },
  );
  const transport = sdkTransport(
    { endpoint: () => endpoint },
    { maxInFlight: 1, requestTimeoutMs: REQUEST_TIMEOUT_MS },
  );
  const { records } = spool.stats();
  if (records === 0) say('There is nothing to drain.');
  let toldAtMs = 0;
  try {
    const progress = await drainSpool({
      spool,
      transport,
      region,
      stream,
      signal: interrupted.signal,
      onProgress: ({ sent, left }) => {
        if (performance.now() - toldAtMs < PROGRESS_EVERY_MS && left > 0) return;
        toldAtMs = performance.now();
        say(`${sent} of ${records} records sent`);
      },
    });
    if (json) print(JSON.stringify(progress));
    return progress.left > 0 && interrupted.signal.aborted ? exitCodes.interrupted : exitCodes.done;
  } finally {
    transport.close();
    await spool.close();
    interrupted.dispose();
  }
}
