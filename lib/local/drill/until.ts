import { setTimeout as sleep } from 'node:timers/promises';
import { DrillError } from './errors.ts';

export interface Waiting {
  /** Completes the sentence "waited … for". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly everyMs: number;
  readonly holds: () => Promise<boolean> | boolean;
  /** Lists what is still missing, for the message when time is up. */
  readonly missing?: () => string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Polls until the condition holds. @throws DrillError when the condition does not hold in time, or the reason
 * of an abort
 */
export async function until(waiting: Waiting): Promise<void> {
  const deadlineMs = performance.now() + waiting.timeoutMs;
  while (performance.now() < deadlineMs) {
    waiting.signal?.throwIfAborted();
    if (await waiting.holds()) return;
    await sleep(waiting.everyMs);
  }
  const missing = waiting.missing === undefined ? '' : ` Still missing: ${waiting.missing()}.`;
  throw new DrillError(`Waited ${waiting.timeoutMs / 1_000} s for ${waiting.what}.${missing}`, 'not-at-rest');
}

/**
 * Resolves to the result of the work, or rejects immediately with the reason of an abort. The work itself
 * goes on until what it works on is taken down, which the caller does next.
 */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
