import { Command } from 'commander';
import type { Cell, Config } from '../config/config.ts';
import type { ConsumersRead } from '../consumers/read.ts';
import { reportOf } from '../consumers/report.ts';
import { readConsumersOf } from '../operate/consumers.ts';
import { judgeCredentials } from '../operate/credentials.ts';
import { CredentialsError, UnansweredError, UsageError } from '../operate/errors.ts';
import { named } from '../operate/named.ts';
import type { Reading } from '../operate/reading.ts';
import { clientsFor, resolveTarget } from '../operate/target.ts';
import { exitCodes } from '../shell/exit-codes.ts';
import type { Io } from './io.ts';
import { listArgument, type OutputFlags, type TargetFlags, withJson, withTarget } from './options.ts';
import { consumersScreen } from './screens/consumers.ts';
import { progress } from './spinner.ts';
import { type Outcome, perform } from './verb.ts';

interface ConsumersFlags extends TargetFlags, OutputFlags {
  readonly cells?: readonly string[];
}

const CALL_TIMEOUT_MS = 5_000;
/** Whoever gets an answer sooner needs no progress. */
const SILENT_MS = 2_000;

/** `spillway consumers`: in quiet times, whether those who read the streams would work in the standby. */
export function consumersCommand(io: Io): Command {
  return withJson(
    withTarget(
      new Command('consumers').description(
        'Check, in quiet times, whether the consumers of each cell would work in the standby: there, enabled, on the right stream, without old checkpoints. Calls control planes and the primary too. Ends with status 4 if something is to be mended.',
      ),
    ),
  )
    .option('--cells <names>', 'only these cells, separated by commas (default: all)', listArgument)
    .addHelpText('after', '\nExamples:\n  spillway consumers\n  spillway consumers --cells orders --json')
    .action((flags: ConsumersFlags) => perform(io, flags, () => consumers(io, flags)));
}

async function consumers(io: Io, flags: ConsumersFlags): Promise<Outcome> {
  const target = await resolveTarget({ directory: io.directory, env: io.env, ...flags });
  const { config } = target;
  const cells = cellsOf(config, flags.cells);
  const clients = clientsFor(target, { who: 'cli consumers', timeoutMs: CALL_TIMEOUT_MS, say: io.err });
  const { primary, standby } = config.regions;
  let shown: ReturnType<typeof progress> | undefined;
  const timer = setTimeout(() => {
    shown = progress(io);
    shown.say(`asking ${primary} and ${standby} for what reads the streams of ${cells.length} cells`);
  }, SILENT_MS);
  try {
    await clients.prepare([primary, standby]);
    const read = await readConsumersOf({
      ...{ config, cells, clients, nowMs: io.nowMs, deep: true, timeoutMs: CALL_TIMEOUT_MS },
    });
    const readings = read.failures.map(
      (failure): Reading<null> =>
        failure === undefined ? { ok: true, value: null } : { ok: false, problem: failure.kind, failure },
    );
    const credentials = await judgeCredentials(readings, { clients, region: standby });
    // No rights are a finding; credentials that AWS does not take at all are none.
    if (credentials.ok === false && !isAboutRights(credentials.problem)) {
      throw new CredentialsError(credentials);
    }
    if (!isAnswered(read.failures)) {
      throw new UnansweredError(
        `Neither ${primary} nor ${standby} answers: look at the network here, and run this again.`,
      );
    }
    const report = reportOf(read);
    return {
      exit: report.ok ? exitCodes.done : exitCodes.unhealthy,
      document: report,
      screen: consumersScreen(report, io),
    };
  } finally {
    clearTimeout(timer);
    shown?.stop();
    clients.destroy();
  }
}

/** Whether anything was. A refusal is an answer. */
const isAnswered = (failures: ConsumersRead['failures']): boolean =>
  failures.length === 0 || failures.some((failure) => failure === undefined || failure.kind === 'denied');

const isAboutRights = (problem: string): boolean => problem === 'no-rights' || problem === 'not-deployed';

/** @throws UsageError */
function cellsOf({ cells }: Config, names: readonly string[] | undefined): readonly Cell[] {
  if (names === undefined) return cells;
  const unknown = names.filter((name) => !cells.some((cell) => cell.name === name));
  if (unknown.length > 0) {
    throw new UsageError(
      `The config has no cell ${named(unknown)}. It has ${named(cells.map(({ name }) => name))}.`,
    );
  }
  return cells.filter(({ name }) => names.includes(name));
}
