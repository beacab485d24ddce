import { userInfo } from 'node:os';
import { OtherDrillError, RegisterError } from '../local/running/errors.ts';
import { birthOf } from '../local/running/process-birth.ts';
import { type OwnEntry, RunRegister, registerDirectory } from '../local/running/register.ts';
import type { Registered, RunEntry } from '../local/running/run-entry.ts';
import { takeTurn, watchBeside } from '../local/running/turn.ts';
import { RefusedError } from '../operate/errors.ts';
import { formatDuration } from '../scenario/duration.ts';
import type { Io } from './io.ts';
import { type Progress, progress } from './spinner.ts';

/** The longest wait on a terminal, where somebody sees that the drill waits. */
export const TERMINAL_WAIT_MS = 900_000;
/** The unit of the time left: a log gets one line a minute. */
const MINUTE_MS = 60_000;

/** This drill's place on the machine: alone, or beside others. */
export interface Place {
  /** The drill's entry in the register; undefined where the register cannot be used. */
  readonly own: OwnEntry | undefined;
  /** Drills that have run beside this one at some time until now. */
  beside(): readonly Registered[];
  /** Marks the measurement as over: from now on this drill and others do not disturb each other. */
  keep(): Promise<void>;
  leave(): Promise<void>;
}

export interface PlaceOptions {
  readonly io: Io;
  readonly scenario: string;
  readonly startedAtMs: number;
  /** How long to wait for another drill; undefined = the default for a terminal or for a log. */
  readonly waitMs: number | undefined;
  readonly anyway: boolean;
  /** Takes the reason why timings cannot be trusted, when this drill begins beside another. */
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Waits until this drill can be measured alone. @throws RefusedError when another drill goes on for longer
 */
export async function takePlace(options: PlaceOptions): Promise<Place> {
  const { io, note, anyway, signal } = options;
  const register = new RunRegister(registerDirectory(io.env));
  let shown: Progress | undefined;
  try {
    const turn = await takeTurn({
      register,
      entry: await entryOf(options),
      waitMs: options.waitMs ?? (io.interactive ? TERMINAL_WAIT_MS : 0),
      anyway,
      onWaiting: (others, leftMs) => {
        if (shown === undefined) io.err(waitingText(others));
        shown ??= progress(io);
        shown.say(`waiting for ${others.map(({ pid }) => `pid ${pid}`).join(', ')}; ${leftText(leftMs)}`);
      },
      signal,
    });
    for (const other of turn.idle.filter((one) => isOfInterest(one, io))) note(idleText(other));
    return placeIn(register, turn, note);
  } catch (error) {
    if (error instanceof OtherDrillError) throw refusal(error);
    if (!(error instanceof RegisterError)) throw error;
    note(`whether another drill runs on this machine is not known: ${error.message}`);
    return { own: undefined, beside: () => [], keep: async () => {}, leave: async () => {} };
  } finally {
    shown?.stop();
  }
}

function placeIn(
  register: RunRegister,
  turn: Awaited<ReturnType<typeof takeTurn>>,
  note: (text: string) => void,
): Place {
  const { own } = turn;
  const beside = [...turn.beside];
  for (const other of beside) note(besideText(other));
  const unwatch = watchBeside(register, {
    own,
    beside,
    onBeside: (other) => {
      beside.push(other);
      note(besideText(other));
    },
  });
  return {
    own,
    beside: () => beside,
    keep: () => {
      unwatch();
      return own.update({ activity: 'kept' });
    },
    leave: () => {
      unwatch();
      return own.leave();
    },
  };
}

/**
 * Enters what this process runs into the register. Undefined when the register cannot be written, which is no
 * reason not to run.
 */
export async function enterRegister(
  entry: Pick<RunEntry, 'activity' | 'what'>,
): Promise<OwnEntry | undefined> {
  const register = new RunRegister(registerDirectory(process.env));
  return register.enter({ ...entry, ...(await ownFacts()), sinceMs: Date.now() }).catch(() => undefined);
}

/** The facts that every entry has about its process. */
async function ownFacts(): Promise<Pick<RunEntry, 'pid' | 'birth' | 'user'>> {
  return { pid: process.pid, birth: await birthOf(process.pid), user: userName() };
}

export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`; // of an id that the machine has no name for
  }
}

async function entryOf({ scenario, startedAtMs }: PlaceOptions): Promise<Omit<RunEntry, 'activity'>> {
  return { ...(await ownFacts()), sinceMs: startedAtMs, what: scenario };
}

/** Whether an entry matters to this drill: the LocalStack that the drill is told to use is no neighbour. */
const isOfInterest = ({ activity }: Registered, { env }: Io): boolean =>
  activity !== 'localstack' || !env.SPILLWAY_LOCALSTACK_URL;

function refusal({ others }: OtherDrillError): RefusedError {
  return new RefusedError(
    others.map((other) => ({
      rule: 'other-drill',
      reason: `another drill ${other.activity === 'waiting' ? 'waits' : 'runs'} on this machine, and two at once disturb each other's timings: ${factsOf(other)}`,
    })),
    'Wait for it with --wait-for-other 15m, or begin beside it with --anyway.',
  );
}

const leftText = (ms: number): string =>
  ms < MINUTE_MS ? 'less than a minute left' : `${Math.floor(ms / MINUTE_MS)} min left`;

const waitingText = (others: readonly Registered[]): string =>
  [
    ...others.map((other) => `Another drill runs on this machine: ${factsOf(other)}.`),
    "Two at once disturb each other's timings, so this one waits. Ctrl-C gives up; --anyway begins beside it.",
  ].join('\n');

const besideText = (other: Registered): string =>
  `another drill runs beside this one (${factsOf(other)}): timings cannot be trusted`;

function idleText(other: Registered): string {
  const what = other.activity === 'kept' ? 'a kept world' : 'a LocalStack';
  return `${what} stands on this machine (${factsOf(other)}) and uses part of its capacity`;
}

/** Who, since when, and where to look. */
export function factsOf({ pid, user, what, sinceMs, runDirectory }: Registered): string {
  const ageMs = Math.max(0, Date.now() - sinceMs);
  const unitMs = ageMs < MINUTE_MS ? 1_000 : MINUTE_MS;
  const age = formatDuration(Math.floor(ageMs / unitMs) * unitMs);
  const since = `since ${new Date(sinceMs).toISOString()} (${age})`;
  const where = runDirectory === undefined ? [] : [`run folder ${runDirectory}`];
  return [`pid ${pid} of ${user}`, what, since, ...where].join(', ');
}
