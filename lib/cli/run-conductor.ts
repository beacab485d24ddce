import type { ConductorStart } from '../conductor/input.ts';
import { type Report, runState, type Started, startConductor } from '../operate/conductor.ts';
import { type FollowEnd, follow } from '../operate/follow.ts';
import { entriesOf, stagesOfRun } from '../operate/stages.ts';
import { type ExitCode, exitCodes } from '../shell/exit-codes.ts';
import type { StateTable } from '../state/state-table.ts';
import type { Acting } from './change.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import { localTime } from './local-time.ts';
import { type RunWords, runScreen } from './screens/run.ts';
import { progress } from './spinner.ts';
import type { Outcome } from './verb.ts';

export interface RunOptions {
  readonly io: Io;
  readonly acting: Acting;
  readonly table: StateTable;
  readonly waitMs: number;
  /** What the run moves, in words for people. */
  readonly cells: readonly string[];
}

/** A run leaves ten lines, and three for each stage of a failback, of which the newest are enough. */
const JOURNAL_ENTRIES = 200;

/** Claims a number for the act, starts the conductor with it, follows it, and says how it ended. */
export async function runConductor(
  { io, acting, table, waitMs, cells }: RunOptions,
  inputOf: (epoch: number) => ConductorStart,
): Promise<Outcome> {
  const { target, clients, owner, account, nowMs, id, dry } = acting;
  const { config } = target;
  const what = inputOf(1).action === 'evacuate' ? 'failover' : 'failback';
  const { groups } = inputOf(1);
  const epoch = await table.claimEpoch({
    claim: `operator:${id}`,
    who: owner,
    what,
    atMs: nowMs,
    ...(groups === undefined ? {} : { groups: [...groups] }),
  });
  const client = clients.stepFunctions(config.regions.standby);
  const input = inputOf(epoch);
  const started = await startConductor({ client, config, account, input });
  const timeOf = (ms: number): string => localTime(ms, { nowMs: io.nowMs() });
  const look = async () =>
    stagesOfRun(entriesOf(await table.history(JOURNAL_ENTRIES), epoch), {
      input,
      regions: config.regions,
      timeOf,
    });
  // The calls that a real run would repeat are made once.
  if (dry && waitMs > 0) await Promise.all([runState(client, started.executionArn), look()]);
  if (dry || waitMs === 0) return leftRunning(what, started);
  const shown = progress(io);
  const interrupted = interruption(() => shown.say('the conductor goes on'));
  try {
    const end = await follow({
      client,
      executionArn: started.executionArn,
      waitMs,
      signal: interrupted.signal,
      look,
      say: shown.say,
      tell: shown.tell,
    });
    return outcomeOf(end, { what, started, cells, regions: config.regions, input });
  } finally {
    shown.stop();
    interrupted.dispose();
  }
}

const factsOf = (verb: string, { run, epoch, executionArn }: Started) => ({ verb, run, epoch, executionArn });

/** The outcome when nobody waits for the end of the run. */
function leftRunning(what: string, started: Started): Outcome {
  return {
    exit: exitCodes.done,
    document: { ok: true, ...factsOf(what, started), state: 'running' },
    screen: `${what}: the conductor runs (${started.run}). Watch it with: spillway status --watch`,
  };
}

const nextLook = 'spillway status --watch';

interface Followed extends Omit<RunWords, 'report'> {
  readonly started: Started;
}

function outcomeOf(end: FollowEnd, followed: Followed): Outcome {
  const { what, started } = followed;
  const base = factsOf(what, started);
  switch (end.end) {
    // Somebody waits for the end of the run, and the end is not known: that is not "done".
    case 'waited': {
      const { problem } = end;
      const state = problem === undefined ? 'running' : 'unknown';
      const said =
        problem === undefined
          ? `the conductor still runs (${started.run})`
          : `the state of the conductor's run ${started.run} is not known (${problem})`;
      return {
        exit: exitCodes.unhealthy,
        document: {
          ok: false,
          ...base,
          state,
          ...(problem === undefined ? {} : { problem }),
          nextCommand: nextLook,
        },
        screen: `${what}: ${said}.\nnext: ${nextLook}`,
      };
    }
    case 'failed':
      return {
        exit: exitCodes.failed,
        document: { ok: false, ...base, state: 'failed', problem: end.problem },
        screen: `${what}: the conductor failed (${end.problem}). See: spillway history, spillway status`,
      };
    case 'report': {
      const exit = exitOfRun(end.report);
      return {
        exit,
        document: { ok: exit === exitCodes.done, ...base, ...end.report },
        screen: runScreen({ ...followed, report: end.report }),
      };
    }
    default:
      return end satisfies never;
  }
}

/** States that a run may end with, and what they mean to a script. Anything else has failed. */
const stateExits: Readonly<Record<string, ExitCode>> = {
  latched: exitCodes.done,
  'failed-back': exitCodes.done,
  'standby-unfit': exitCodes.refused,
  'failback-refused': exitCodes.refused,
  'no-longer-wanted': exitCodes.refused,
  'latched-dns-elsewhere': exitCodes.unhealthy,
  'failback-taken-back': exitCodes.unhealthy,
  // The run has moved what it should, but not all is well.
  'latched-arrivals-unknown': exitCodes.unhealthy,
  'latched-consumers-unknown': exitCodes.unhealthy,
  'lease-kept': exitCodes.unhealthy,
  'not-notified': exitCodes.unhealthy,
  // Some switches may have been set before the newer act began: "nothing was done" would be wrong.
  superseded: exitCodes.unhealthy,
  'superseded-unfinished': exitCodes.unhealthy,
  'released-dns-elsewhere': exitCodes.unhealthy,
};

export const exitOfRun = ({ state }: Pick<Report, 'state'>): ExitCode =>
  stateExits[state] ?? exitCodes.failed;
