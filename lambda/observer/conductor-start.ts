import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { ConductorStart as StartInput } from '../conductor/input.ts';
import { attemptDue, evacuationDue, executionName, runName } from '../core/conductor.ts';
import { observerClaim } from '../core/epoch.ts';
import type { StateTable } from '../state/state-table.ts';
import type { TickResult } from './tick.ts';

export const START_TIMEOUT_MS = 2_000;
const MAX_REASON = 500;

export interface ConductorStartOptions {
  /** The observer's own region, which is the standby. */
  readonly region: string;
  readonly machineArn: string;
  readonly stepFunctions: Pick<SFNClient, 'send'>;
  readonly state: Pick<StateTable, 'claimEpoch'>;
  readonly onStart: (executionName: string) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Starts the conductor when DNS has moved and the switches do not hold yet. It is asked after every round, and gives
 * every round of one evacuation the same name: the pair's epoch is claimed in the state table under the time at which
 * this observer's vote became EVACUATE, and Step Functions takes a name only once. That time, rather than the
 * observer's own count of evacuations, because the count begins again when the observer's memory is lost.
 */
export class ConductorStart {
  readonly #options: ConductorStartOptions;
  /** What was started last, so that the rounds after it cost no call. */
  #started: string | undefined;
  #underWay: Promise<void> | undefined;

  constructor(options: ConductorStartOptions) {
    this.#options = options;
  }

  /** Returns at once: a round is never late because of this. Never throws. */
  consider({
    decision,
    decidedAtMs,
    latch,
    quorum,
  }: Pick<TickResult, 'decision' | 'decidedAtMs' | 'latch' | 'quorum'>): void {
    const { phase, voteSinceMs } = decision.state;
    if (voteSinceMs === null || !evacuationDue({ phase, latch, quorum, voteSinceMs })) return;
    const attempt = attemptDue(voteSinceMs, decidedAtMs);
    const key = `${voteSinceMs} ${attempt}`;
    if (this.#started === key || this.#underWay !== undefined) return;
    const reason = `${decision.diagnosis}: ${decision.comment}`.slice(0, MAX_REASON);
    this.#underWay = this.#start({ voteSinceMs, attempt, reason })
      .then(() => {
        this.#started = key;
      }, this.#options.onError)
      .finally(() => {
        this.#underWay = undefined;
      });
  }

  /** For tests, and for whoever has to wait. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  async #start(due: {
    readonly voteSinceMs: number;
    readonly attempt: number;
    readonly reason: string;
  }): Promise<void> {
    const { region, state, stepFunctions, machineArn, onStart } = this.#options;
    const owner = `observer ${region}`;
    const claim = observerClaim(region, due.voteSinceMs);
    // The time of the vote, not of this call: the same claim always says the same.
    const epoch = await state.claimEpoch({ claim, who: owner, what: 'evacuate', atMs: due.voteSinceMs });
    const input: StartInput = { action: 'evacuate', trigger: 'auto', epoch, owner, reason: due.reason };
    const name = executionName(runName(undefined, epoch), due.attempt);
    try {
      await stepFunctions.send(
        new StartExecutionCommand({ stateMachineArn: machineArn, name, input: JSON.stringify(input) }),
        { abortSignal: AbortSignal.timeout(START_TIMEOUT_MS) },
      );
    } catch (error) {
      // An earlier run of this observer, or this one before its answer was lost, has started it.
      if (!(error instanceof ExecutionAlreadyExists)) throw error;
    }
    onStart(name);
  }
}
