import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { resolve } from 'node:path';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Command, InvalidArgumentError } from 'commander';
import { isStreamName } from '../../lambda/core/signal.ts';
import { formatStreamArn, parseStreamArn } from '../../lambda/core/stream-arn.ts';
import { regionCredentials } from '../credentials/provider.ts';
import { type DrainReport, drain } from '../drain/drain.ts';
import { defaultLimits } from '../drain/limits.ts';
import type { DrainPlan } from '../drain/plan.ts';
import { ofAsker } from '../operate/credentials.ts';
import { InterruptedError, UsageError } from '../operate/errors.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Colors } from './colors.ts';
import { type CellsFlags, CREATED_AGAIN, DEFAULT_WITHIN_MS, drainCells } from './drain-cells.ts';
import { leftOut, progressLine } from './drain-lines.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import {
  durationOption,
  listArgument,
  pastArgument as sinceArgument,
  withJson,
  withTarget,
} from './options.ts';
import { type Outcome, perform } from './verb.ts';

/** What is copied where, as it was typed. */
interface WindowFlags {
  readonly fromRegion?: string;
  readonly toRegion?: string;
  readonly stream?: string;
  readonly toStream?: string;
  readonly from?: number;
  readonly to?: number;
  readonly checkpoint?: string;
}

interface DrainFlags extends WindowFlags, CellsFlags {
  readonly stranded?: true;
  readonly endpoint?: string;
}

/** All of a window, and nothing of a config. */
type OwnWindow = DrainFlags &
  Required<Pick<WindowFlags, 'fromRegion' | 'toRegion' | 'stream' | 'from' | 'to'>>;

/** `spillway drain`: copies the records that a failover left behind in the old stream to the new one. */
export function drainCommand(io: Io): Command {
  return withJson(
    withTarget(
      new Command('drain').description(
        'Copy the records that a failover left behind in one region’s stream to the stream of another.',
      ),
    ),
  )
    .option(
      '--cells <names>',
      'what is stranded of these cells, or groups of them, separated by commas: streams and window follow from the config and `spillway stranded`',
      listArgument,
    )
    .option('--stranded', 'the same, of every cell that has something stranded')
    .option('--since <time>', 'with --cells: as `spillway stranded` takes it', sinceArgument(io.nowMs))
    .option('--region <region>', 'with --cells: where the old streams are (default: the primary)')
    .addOption(
      durationOption('--within <duration>', 'with --cells: the longest time for counting', {
        defaultMs: DEFAULT_WITHIN_MS,
      }),
    )
    .option('--reason <text>', 'with --cells: why, kept in the journal beside the figures')
    .option('--owner <name>', 'with --cells: who, as you want to be called')
    .option('--yes', 'with --cells: do not ask; without a terminal this is required')
    .option('--from-region <region>', 'without --cells: the region that has the records')
    .option('--to-region <region>', 'the region to copy them to')
    .option('--stream <name>', 'the stream that holds them, or its ARN', streamArgument)
    .option(
      '--to-stream <name>',
      'the stream to copy to, or its ARN (default: the same name)',
      streamArgument,
    )
    .option('--from <time>', 'records that arrived from then on, like 2020-11-25T13:00:00Z', timeArgument)
    .option('--to <time>', 'records that arrived before then: the time of the switch', timeArgument)
    .option(
      '--checkpoint <file>',
      'where progress is kept, for resuming (default: a file here, named after the drain)',
    )
    .option('--envelope', 'give records without an envelope one, for consumers that use spillway/consumer')
    .option('--allow-aggregated', 'copy KPL aggregates as they are instead of record by record')
    .option('--dry-run', 'read and count, write nothing')
    .option('--endpoint <url>', 'where Kinesis is, for tests (default: AWS)', urlArgument)
    .addHelpText(
      'after',
      '\nAfter an interruption or a failure, the same command goes on where it stopped. With --cells, a cell is marked as drained\n' +
        'when all that was stranded has been copied, and else the screen says why it is not (status 4). Exit status: 0 done,\n' +
        '1 failed, 2 wrong usage, 4 copied but not marked, 130 interrupted.\n\nExamples:\n' +
        '  spillway drain --cells orders\n' +
        '  spillway drain --from-region us-east-1 --to-region us-west-2 --stream orders \\\n' +
        '    --from 2020-11-25T13:00:00Z --to 2020-11-25T13:16:00Z',
    )
    .action((flags: DrainFlags) =>
      perform(io, flags, () => {
        const isOfCells = flags.cells !== undefined || flags.stranded === true;
        return isOfCells ? drainCells(io, withoutWindow(flags)) : runDrain(io, ownWindow(flags));
      }),
    );
}

const windowFlags = ['fromRegion', 'toRegion', 'stream', 'toStream', 'from', 'to', 'checkpoint'] as const;
const neededFlags = ['fromRegion', 'toRegion', 'stream', 'from', 'to'] as const;
const written = (flag: string): string =>
  `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** @throws UsageError */
function withoutWindow(flags: DrainFlags): CellsFlags {
  if (flags.cells !== undefined && flags.stranded)
    throw new UsageError('Say --cells or --stranded, not both: --stranded is every cell.');
  const [one] = [...windowFlags, 'endpoint' as const].filter((flag) => flags[flag] !== undefined);
  if (one === undefined) return flags;
  throw new UsageError(
    `${written(one)} does not go with --cells: streams and window follow from the config.`,
  );
}

/** @throws UsageError */
function ownWindow(flags: DrainFlags): OwnWindow {
  const [missing] = neededFlags.filter((flag) => flags[flag] === undefined);
  if (missing === undefined) return flags as OwnWindow;
  throw new UsageError(
    `${written(missing)} is missing: name streams and window in full, or say --cells for what \`spillway stranded\` counts.`,
  );
}

async function runDrain({ err: say, colors, directory }: Io, flags: OwnWindow): Promise<Outcome> {
  const plan: DrainPlan = {
    from: { region: flags.fromRegion, stream: flags.stream },
    to: { region: flags.toRegion, stream: flags.toStream ?? inRegion(flags.toRegion, flags.stream) },
    fromMs: flags.from,
    toMs: flags.to,
    envelope: flags.envelope === true,
    allowAggregated: flags.allowAggregated === true,
  };
  const checkpointFile = flags.checkpoint ?? defaultCheckpoint(plan);
  const interrupted = interruption(() =>
    say('interrupted: finishing the write under way (Ctrl-C again ends immediately)'),
  );
  const clients = regionalClients(flags.endpoint);
  try {
    const report = await drain({
      plan,
      checkpointFile: resolve(directory, checkpointFile),
      dryRun: flags.dryRun === true,
      clientOf: clients.of,
      signal: interrupted.signal,
      onProgress: (progress) => say(progressLine(progress)),
      onExpired: (keptFromMs) =>
        say(
          `${colors.yellow('warning')} ${flags.stream} keeps records only from ${new Date(keptFromMs).toISOString()}`,
        ),
      onCreatedAgain: () => say(`${colors.yellow('warning')} ${CREATED_AGAIN}`),
      onUnordered: () =>
        say(
          `${colors.yellow('warning')} ${plan.to.stream} in ${plan.to.region} has service-managed distribution: the copies are in no order there`,
        ),
    });
    return {
      exit: exitCodes.done,
      document: facts(report, flags),
      screen: summary(report, { plan, flags, colors }),
    };
  } catch (error) {
    const goesOn = flags.dryRun ? 'nothing was written' : `the same command goes on from ${checkpointFile}`;
    if (interrupted.signal.aborted) throw new InterruptedError(`Interrupted: ${goesOn}.`);
    // The same command goes on with other credentials.
    if (ofAsker(error) !== error) say(goesOn);
    throw error;
  } finally {
    interrupted.dispose();
    clients.close();
  }
}

function regionalClients(endpoint: string | undefined) {
  const made: KinesisClient[] = [];
  const agent = { keepAlive: true, maxSockets: defaultLimits.shards };
  return {
    of: (region: string): KinesisClient => {
      const client = new KinesisClient({
        region,
        maxAttempts: 1,
        credentials: regionCredentials({ region, profile: process.env.AWS_PROFILE || undefined }),
        ...(endpoint === undefined ? {} : { endpoint }),
        // Over HTTP/1.1: the SDK's default handler for Kinesis opens a TLS session for each call.
        requestHandler: new NodeHttpHandler({
          httpAgent: new HttpAgent(agent),
          httpsAgent: new HttpsAgent(agent),
          connectionTimeout: defaultLimits.requestTimeoutMs,
          requestTimeout: defaultLimits.requestTimeoutMs,
          throwOnRequestTimeout: true,
        }),
      });
      made.push(client);
      return client;
    },
    close: (): void => {
      for (const client of made) client.destroy();
    },
  };
}

/**
 * The default checkpoint file. It is the same for the same drain, so that a forgotten flag does not copy
 * everything again.
 */
function defaultCheckpoint({ from, to, fromMs, toMs }: DrainPlan): string {
  const time = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:.]/g, '');
  const [source, other] = [fileNameOf(from.stream), fileNameOf(to.stream)];
  const target = other === source ? to.region : `${to.region}-${other}`;
  return `spillway-drain-${source}-${from.region}-${target}-${time(fromMs)}-${time(toMs)}.json`;
}

/** The same stream of another region. */
function inRegion(region: string, stream: string): string {
  const arn = parseStreamArn(stream);
  return arn === undefined ? stream : formatStreamArn({ ...arn, region });
}

/** Of a stream in another account: its account and name. */
function fileNameOf(stream: string): string {
  const arn = parseStreamArn(stream);
  return arn === undefined ? stream : `${arn.account}-${arn.name}`;
}

interface Asked {
  readonly plan: DrainPlan;
  readonly flags: OwnWindow;
  readonly colors: Colors;
}

function facts({ counts, ...report }: DrainReport, flags: DrainFlags): object {
  return { ok: true, name: 'drain', dryRun: flags.dryRun === true, ...counts, ...report };
}

function summary(report: DrainReport, { plan, flags, colors }: Asked): string {
  const { counts } = report;
  const source = `${plan.from.stream} in ${plan.from.region}`;
  const target = `${plan.to.stream} in ${plan.to.region}`;
  const window = `from ${new Date(plan.fromMs).toISOString()} to ${new Date(plan.toMs).toISOString()}`;
  const due = counts.read - counts.probes;
  const apart = counts.aggregates === 0 ? '' : `; ${counts.aggregates} aggregates taken apart`;
  const kinds = `${counts.enveloped} with an envelope, ${counts.bare} without, ${counts.damaged} damaged; ${counts.bytes} bytes${apart}`;
  if (counts.read === 0) return `Nothing to do: no record arrived in ${source} ${window}.`;
  if (report.alreadyDone) {
    return `Nothing to do: this drain was done before (${counts.copied} copied, ${counts.alreadyThere} already there${leftOut(counts)}).`;
  }
  if (due === 0)
    return `Nothing to copy: only marked records of observers arrived in ${source} ${window} (${counts.probes}).`;
  if (flags.dryRun)
    return `${due} records would be copied from ${source} to ${target} (${kinds}${leftOut(counts)}).`;
  const resumed = report.resumed ? ', earlier runs included' : '';
  return [
    `${colors.green('done')}: ${due} records of ${source} ${window} are in ${target}${resumed}`,
    `  ${counts.copied} copied, ${counts.alreadyThere} already there (${kinds})${leftOut(counts)}`,
  ].join('\n');
}

const zonedTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Reads a time with its zone: without a zone the time would mean another moment on each machine. */
function timeArgument(text: string): number {
  const timeMs = zonedTime.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(timeMs))
    throw new InvalidArgumentError('Write a time with its zone, like 2020-11-25T13:00:00Z.');
  return timeMs;
}

function streamArgument(text: string): string {
  if (isStreamName(text) || parseStreamArn(text) !== undefined) return text;
  throw new InvalidArgumentError(
    'Write the name of a stream, or its ARN, like arn:aws:kinesis:us-east-1:111122223333:stream/orders.',
  );
}

function urlArgument(text: string): string {
  if (!URL.canParse(text)) throw new InvalidArgumentError('Write a URL, like http://127.0.0.1:4566.');
  return text;
}
