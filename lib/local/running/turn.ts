import { setTimeout as sleep } from 'node:timers/promises';
import { OtherDrillError } from './errors.ts';
import type { OwnEntry, RunRegister } from './register.ts';
import type { Registered, RunEntry } from './run-entry.ts';

export interface TurnOptions {
  readonly register: RunRegister;
  readonly entry: Omit<RunEntry, 'activity'>;
  /** Longest wait for other drills; 0 = none. */
  readonly waitMs: number;
  /** Begin beside other drills. */
  readonly anyway: boolean;
  /** Called at each look while others are before this one. */
  readonly onWaiting: (others: readonly Registered[], leftMs: number) => void;
  readonly everyMs?: number;
  readonly signal: AbortSignal;
}

export interface Turn {
  readonly own: OwnEntry;
  /** Drills that run beside this one, as it allowed. */
  readonly beside: readonly Registered[];
  /** Kept worlds and LocalStacks: no reason to wait, but they use part of the machine. */
  readonly idle: readonly Registered[];
}

const LOOK_EVERY_MS = 1_000;

/**
 * Waits until no other drill runs on this machine or is before this one in the queue, and then takes this
 * drill's turn.
 *
 * @throws OtherDrillError when the time is over, RegisterError, or the reason of an abort.
 */
export async function takeTurn(options: TurnOptions): Promise<Turn> {
  const { register, anyway, signal } = options;
  const own = await register.enter({ ...options.entry, activity: anyway ? 'drilling' : 'waiting' });
  try {
    const deadlineMs = performance.now() + options.waitMs;
    for (;;) {
      signal.throwIfAborted();
      const others = (await register.running()).filter(({ ticket }) => ticket !== own.ticket);
      const before = others.filter((other) => isBefore(other, own.ticket));
      if (anyway || before.length === 0) {
        if (!anyway) await own.update({ activity: 'drilling' });
        return { own, beside: others.filter(isDrilling), idle: others.filter(isIdle) };
      }
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) throw new OtherDrillError(before);
      options.onWaiting(before, leftMs);
      await sleep(Math.min(options.everyMs ?? LOOK_EVERY_MS, leftMs), undefined, { signal });
    }
  } catch (error) {
    await own.leave();
    throw error;
  }
}

const isDrilling = ({ activity }: Registered): boolean => activity === 'drilling';
const isIdle = ({ activity }: Registered): boolean => activity === 'kept' || activity === 'localstack';

function isBefore({ activity, ticket }: Registered, own: number): boolean {
  return activity === 'drilling' || (activity === 'waiting' && ticket < own);
}

const BESIDE_EVERY_MS = 2_000;

/**
 * Reports each drill that begins beside this one while it is measured. Returns the function that ends the
 * watch.
 */
export function watchBeside(
  register: RunRegister,
  {
    own,
    beside,
    onBeside,
    everyMs = BESIDE_EVERY_MS,
  }: {
    readonly own: OwnEntry;
    /** The entries that are known already. */
    readonly beside: readonly Registered[];
    readonly onBeside: (other: Registered) => void;
    readonly everyMs?: number;
  },
): () => void {
  const known = new Set([own.ticket, ...beside.map(({ ticket }) => ticket)]);
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    const others = await register.running().catch(() => []);
    for (const other of others.filter(isDrilling)) {
      if (known.has(other.ticket)) continue;
      known.add(other.ticket);
      onBeside(other);
    }
    looking = false;
  };
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
