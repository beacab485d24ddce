import { setTimeout as sleep } from 'node:timers/promises';
import { cpuShare } from './cpu-share.ts';
import { DrillError } from './errors.ts';
import type { AbortKind } from './next-step.ts';
import { MAX_LATE_SHARE, type Pace } from './pace.ts';

/**
 * Longest wait for a calm machine: a world that has just started is slow, but a machine that is too weak
 * stays slow.
 */
const CALM_TIMEOUT_MS = 60_000;
const CALM_POLL_MS = 1_000;
/** Half a minute and a little more, so that this time contains three windows of ten seconds. */
const CALM_MS = 32_000;

type PaceSeen = Pick<Pace, 'minutes' | 'worstLateShare'>;

/**
 * Why no timing since a given moment can be judged, with the figures; undefined while the machine is fast
 * enough.
 */
export function slowness(pace: PaceSeen, sinceMs: number): string | undefined {
  const share = pace.worstLateShare(sinceMs);
  if (share <= MAX_LATE_SHARE) return undefined;
  const latencies = (p: 'p50Ms' | 'p95Ms'): string =>
    pace.minutes.map(({ puts }) => puts[p] ?? '-').join(', ') || 'none yet';
  return (
    `the machine is too slow to judge: within half a minute ${(100 * share).toFixed(1)} % of the calls that no fault touched came too late for an observer ` +
    `(at most ${100 * MAX_LATE_SHARE} % may). Puts by minute, p50: ${latencies('p50Ms')} ms; p95: ${latencies('p95Ms')} ms`
  );
}

/** Waits that a slow machine may never finish. */
const waits: ReadonlySet<AbortKind> = new Set(['not-at-rest', 'failback-refused']);

/** Turns an unsuccessful wait into a report of a slow machine, where the machine is too slow. */
export function asTooSlow(error: unknown, reason: string | undefined): unknown {
  if (reason === undefined || !(error instanceof DrillError) || !waits.has(error.kind)) return error;
  return new DrillError(`${error.message} But ${reason}.`, 'too-slow', { cause: error });
}

/** On two cores, two other busy programs leave this process a larger share. */
const MIN_CPU_SHARE = 0.5;

/**
 * Turns the time-out of a deployment on an overloaded machine into a report of a slow machine, because the
 * time-out says nothing about the app.
 */
export function asSlowDeploy(error: unknown, share = cpuShare()): unknown {
  if (share >= MIN_CPU_SHARE) return error;
  const text = error instanceof Error ? error.message : String(error);
  const percent = Math.round(100 * share);
  const reason = `the machine is too slow to judge: a busy process gets only ${percent} % of a core`;
  return new DrillError(`${text} But ${reason}.`, 'too-slow', { cause: error });
}

/**
 * Waits for half a minute without late answers, because observers would otherwise accuse healthy regions. If
 * there is no such half minute in time, the drill begins anyway: the drill may succeed, and if it fails, the
 * reason is known.
 */
export async function calm(
  pace: PaceSeen,
  { onProgress, signal }: { readonly onProgress: (text: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const deadlineMs = performance.now() + CALM_TIMEOUT_MS;
  for (let told = false; ; told = true) {
    if (slowness(pace, performance.now() - CALM_MS) === undefined) return;
    if (performance.now() > deadlineMs) return onProgress('beginning although this machine answers late');
    if (!told) onProgress('waiting for this machine to answer in time');
    await sleep(CALM_POLL_MS, undefined, { signal });
  }
}
