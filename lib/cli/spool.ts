import { resolve } from 'node:path';
import { Command } from 'commander';
import { sdkTransport } from '../producer/sdk-transport.ts';
import { drainSpool } from '../producer/spool/drain.ts';
import { inspectSpool, requireSpool } from '../producer/spool/inspection.ts';
import { Spool, type SpoolProblem } from '../producer/spool/spool.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import { type OutputFlags, withJson } from './options.ts';
import { damageText, inspectionText, isHarmed } from './spool-report.ts';
import { type Outcome, perform } from './verb.ts';

interface DrainFlags extends OutputFlags {
  readonly stream: string;
  readonly region: string;
  readonly endpoint?: string;
}

const PROGRESS_EVERY_MS = 1_000;
const REQUEST_TIMEOUT_MS = 10_000;

type Verb<F> = (directory: string, flags: F, io: Io) => Promise<Outcome>;

/**
 * `spillway spool`: inspects and repairs the directory in which a producer keeps records that no region
 * takes.
 */
export function spoolCommand(io: Io): Command {
  const run =
    <F extends OutputFlags>(verb: Verb<F>) =>
    (directory: string, flags: F): Promise<void> =>
      perform(io, flags, () => verb(resolve(io.directory, directory), flags, io));
  const spool = withJson(
    new Command('spool').description("Inspect, verify, repair or drain a producer's spool."),
  ).addHelpText('after', '\nExample:\n  spillway spool inspect /var/lib/orders/spool');
  const verb = (name: string, description: string): Command =>
    withJson(
      spool
        .command(name)
        .description(description)
        .argument('<directory>', "the producer's `spool.directory`"),
    );
  verb('inspect', 'Show what is in the spool, and who owns it.').action(run(inspect));
  verb('verify', 'Read every record and check it; change nothing. Status 1 when something is wrong.').action(
    run(verify),
  );
  verb(
    'repair',
    'Cut torn ends, move damage to quarantine, repair the cursor. Refused while a producer owns the spool.',
  ).action(run(repair));
  verb(
    'drain',
    'Send everything to a stream, in order per key. A repeated drain goes on where the last one stopped.',
  )
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

async function inspect(directory: string, _: OutputFlags, io: Io): Promise<Outcome> {
  const inspection = await inspectSpool(directory);
  const screen = inspectionText(inspection, io);
  return { exit: exitCodes.done, document: { ok: true, ...inspection }, screen };
}

async function verify(directory: string, _: OutputFlags, io: Io): Promise<Outcome> {
  const inspection = await inspectSpool(directory);
  const ok = !isHarmed(inspection);
  const screen = damageText(inspection, io);
  return { exit: ok ? exitCodes.done : exitCodes.failed, document: { ok, ...inspection }, screen };
}

async function repair(directory: string): Promise<Outcome> {
  await requireSpool(directory);
  const problems: SpoolProblem[] = [];
  const spool = await Spool.open({ directory, onProblem: (problem) => problems.push(problem) });
  const { records, tornBytes, quarantinedRanges, quarantinedBytes } = spool.stats();
  await spool.close();
  const messages = problems.map(({ message }) => message);
  const done = messages.length === 0 ? 'Nothing to repair' : 'Repaired';
  return {
    exit: exitCodes.done,
    document: { ok: true, records, tornBytes, quarantinedRanges, quarantinedBytes, problems: messages },
    screen: [...messages, `${done}: ${records} records.`].join('\n'),
  };
}

async function drain(
  directory: string,
  { stream, region, endpoint }: DrainFlags,
  { err: say }: Io,
): Promise<Outcome> {
  await requireSpool(directory);
  const interrupted = interruption(() => say('stopping after this request (Ctrl-C again ends immediately)'));
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
    const { sent, refused, left } = progress;
    const stopped = left > 0 && interrupted.signal.aborted;
    return {
      exit: stopped ? exitCodes.interrupted : exitCodes.done,
      document: { ok: !stopped, ...progress },
      screen:
        records === 0
          ? 'There is nothing to drain.'
          : `${sent} records sent to ${stream} in ${region}, ${refused} refused, ${left} left.`,
    };
  } finally {
    transport.close();
    await spool.close();
    interrupted.dispose();
  }
}
