import type { ConductorStart } from '../../lambda/conductor/input.ts';
import type { StateTable } from '../../lambda/state/state-table.ts';
import { type Report, runState, type Started, startConductor } from '../operate/conductor.ts';
import { type FollowEnd, follow } from '../operate/follow.ts';
import type { Acting } from './change.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { interruption } from './interruption.ts';
import type { Io } from './io.ts';
import { progress } from './spinner.ts';
import type { Outcome } from './verb.ts';

export interface RunOptions {
  readonly io: Io;
  readonly acting: Acting;
  readonly table: StateTable;
  readonly waitMs: number;
}

/** Claims a number for the act, starts the conductor with it, follows it, and says how it ended. */
export async function runConductor(
  { io, acting, table, waitMs }: RunOptions,
  inputOf: (epoch: number) => ConductorStart,
): Promise<Outcome> {
  const { target, clients, owner, account, nowMs, id, dry } = acting;
  const { config } = target;
  const what = inputOf(1).action === 'evacuate' ? 'failover' : 'failback';
  const epoch = await table.claimEpoch({ claim: `operator:${id}`, who: owner, what, atMs: nowMs });
  const client = clients.stepFunctions(config.regions.standby);
  const started = await startConductor({ client, config, account, input: inputOf(epoch) });
  // What it would ask again and again, once.
  if (dry && waitMs > 0) await runState(client, started.executionArn);
  if (dry || waitMs === 0) return outcomeOf(what, started, { end: 'waited' });
  const shown = progress(io);
  const interrupted = interruption(() => shown.say('the conductor goes on'));
  try {
    const end = await follow({
      client,
      executionArn: started.executionArn,
      waitMs,
      signal: interrupted.signal,
      say: shown.say,
    });
    return outcomeOf(what, started, end);
  } finally {
    shown.stop();
    interrupted.dispose();
  }
}

function outcomeOf(what: string, started: Started, end: FollowEnd): Outcome {
  const { run, epoch, executionArn } = started;
  const base = { verb: what, run, epoch, executionArn };
  switch (end.end) {
    case 'waited':
      return {
        exit: exitCodes.done,
        document: { ok: true, ...base, state: 'running' },
        screen: `${what}: the conductor runs (${run}). Watch it with: spillway status --watch`,
      };
    case 'failed':
      return {
        exit: exitCodes.failed,
        document: { ok: false, ...base, state: 'failed', problem: end.problem },
        screen: `${what}: the conductor failed (${end.problem}). Look: spillway history, spillway status`,
      };
    case 'report': {
      const exit = exitOfRun(end.report);
      return {
        exit,
        document: { ok: exit === exitCodes.done, ...base, ...end.report },
        screen: reportScreen(what, end.report),
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
  'latched-arrivals-unknown': exitCodes.done,
  'lease-kept': exitCodes.done,
  'not-notified': exitCodes.done,
  'standby-unfit': exitCodes.refused,
  'failback-refused': exitCodes.refused,
  'no-longer-wanted': exitCodes.refused,
  superseded: exitCodes.refused,
  'latched-dns-elsewhere': exitCodes.unhealthy,
  'failback-taken-back': exitCodes.unhealthy,
};

export const exitOfRun = ({ state }: Pick<Report, 'state'>): ExitCode =>
  stateExits[state] ?? exitCodes.failed;

function reportScreen(what: string, report: Report): string {
  const { state, epoch, latched, startedAtMs, latchedAtMs, findings, nextCommand } = report;
  const took =
    latchedAtMs === undefined ? '' : ` after ${((latchedAtMs - startedAtMs) / 1_000).toFixed(1)} s`;
  return [
    `${what}: ${state}${took} (epoch ${epoch}, ${latched} switches)`,
    ...findings.map((finding) => `  ${finding}`),
    ...(nextCommand === undefined ? [] : [`next: ${nextCommand}`]),
  ].join('\n');
}
