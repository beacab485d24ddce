import { setTimeout as sleep } from 'node:timers/promises';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { type Report, runState } from './conductor.ts';
import { InterruptedError } from './errors.ts';
import { problemOf } from './reading.ts';
import type { StageView } from './stages.ts';

export type FollowEnd =
  | { readonly end: 'report'; readonly report: Report }
  | { readonly end: 'failed'; readonly problem: string }
  /**
   * The wait was over before the run was seen to end; `problem`: why the last look did not see the run
   * either.
   */
  | { readonly end: 'waited'; readonly problem?: string };

export interface FollowOptions {
  readonly client: SFNClient;
  readonly executionArn: string;
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Reads how far the run has come, as far as that can be seen now. */
  readonly look: () => Promise<StageView>;
  /** Shows what the run is doing: a line that the next line replaces. */
  readonly say: (text: string) => void;
  /** Shows a stage that is over: a line that stays. */
  readonly tell: (text: string) => void;
  readonly pollMs?: number;
}

const POLL_MS = 1_000;

/**
 * Watches one run until it ends. A run that cannot be seen for a while has not failed.
 *
 * @throws InterruptedError on an abort; the run goes on.
 */
export async function follow(options: FollowOptions): Promise<FollowEnd> {
  const { client, executionArn, waitMs, signal, say, pollMs = POLL_MS } = options;
  const stages = stageTeller(options);
  const startedMs = performance.now();
  let problem: string | undefined;
  for (let sinceMs = 0; sinceMs < waitMs; sinceMs = performance.now() - startedMs) {
    if (signal.aborted) throw interrupted();
    try {
      const state = await runState(client, executionArn);
      const doing = await stages();
      if (!state.running) {
        return 'report' in state
          ? { end: 'report', report: state.report }
          : { end: 'failed', problem: state.failed };
      }
      problem = undefined;
      say(doing ?? 'the conductor is working');
    } catch (error) {
      problem = problemOf(error);
      say(`the conductor's progress cannot be read now: ${problem}`);
    }
    await sleep(pollMs, undefined, { signal }).catch(() => {
      throw interrupted();
    });
  }
  return { end: 'waited', ...(problem === undefined ? {} : { problem }) };
}

/**
 * Shows each stage that is over, once, and returns what the run is doing; undefined while that cannot be
 * seen.
 */
function stageTeller({ look, tell }: FollowOptions): () => Promise<string | undefined> {
  let told = 0;
  return async () => {
    // The run goes on whether or not its journal can be read: reading only serves to watch it.
    const view = await look().catch(() => undefined);
    if (view === undefined) return undefined;
    for (const line of view.done.slice(told)) tell(line);
    told = Math.max(told, view.done.length);
    return view.doing;
  };
}

const interrupted = (): InterruptedError =>
  new InterruptedError('Interrupted. The conductor goes on; watch it with: spillway status --watch');
