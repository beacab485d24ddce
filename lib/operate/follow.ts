import { setTimeout as sleep } from 'node:timers/promises';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { type Report, runState } from './conductor.ts';
import { InterruptedError } from './errors.ts';
import { problemOf } from './reading.ts';

export type FollowEnd =
  | { readonly end: 'report'; readonly report: Report }
  | { readonly end: 'failed'; readonly problem: string }
  /** The wait was over before the run was seen to end; `problem`: nor could it be seen at the last look. */
  | { readonly end: 'waited'; readonly problem?: string };

export interface FollowOptions {
  readonly client: SFNClient;
  readonly executionArn: string;
  readonly waitMs: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  readonly pollMs?: number;
}

const POLL_MS = 1_000;

/**
 * Watches one run until it ends. What cannot be seen for a while is not a failure of the run.
 *
 * @throws InterruptedError on an abort; the run goes on.
 */
export async function follow(options: FollowOptions): Promise<FollowEnd> {
  const { client, executionArn, waitMs, signal, say, pollMs = POLL_MS } = options;
  const startedMs = performance.now();
  let problem: string | undefined;
  for (let sinceMs = 0; sinceMs < waitMs; sinceMs = performance.now() - startedMs) {
    if (signal.aborted) throw interrupted();
    try {
      const state = await runState(client, executionArn);
      if (!state.running) {
        return 'report' in state
          ? { end: 'report', report: state.report }
          : { end: 'failed', problem: state.failed };
      }
      problem = undefined;
      say('the conductor is at work');
    } catch (error) {
      problem = problemOf(error);
      say(`the conductor cannot be seen just now: ${problem}`);
    }
    await sleep(pollMs, undefined, { signal }).catch(() => {
      throw interrupted();
    });
  }
  return { end: 'waited', ...(problem === undefined ? {} : { problem }) };
}

const interrupted = (): InterruptedError =>
  new InterruptedError('Interrupted. The conductor goes on; watch it with: spillway status --watch');
