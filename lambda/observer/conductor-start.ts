import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { ConductorStart as StartInput } from '../../lib/conductor/input.ts';
import type { StateTable } from '../../lib/state/state-table.ts';
import { attemptDue, evacuationDue, evacuationSuspected, executionName, runName } from '../core/conductor.ts';
import { groupsToLatch } from '../core/conductor-latch.ts';
import { type ObserverReport, quorumSinceMs } from '../core/conductor-observers.ts';
import { againClaim, isOfClaim, observerClaim } from '../core/epoch.ts';
import type { TickResult } from './tick.ts';

export const START_TIMEOUT_MS = 2_000;
const MAX_REASON = 500;

interface Due {
  readonly voteSinceMs: number;
  readonly nowMs: number;
  readonly reason: string;
}

export interface ConductorStartOptions {
  /** The observer's own region, which is the standby. */
  readonly region: string;
  readonly machineArn: string;
  readonly stepFunctions: Pick<SFNClient, 'send'>;
  readonly state: Pick<StateTable, 'claimEpoch' | 'newestClaim' | 'readSwitches'>;
  /** Switch groups of all cells. */
  readonly groups: readonly string[];
  readonly votesToEvacuate: number;
  /**
   * Reads what the other observers have stored, if they answer in time. Called only when DNS has moved
   * without this one's vote.
   */
  readonly readWitnesses: () => Promise<readonly ObserverReport[]>;
  readonly onStart: (executionName: string) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Starts the conductor when DNS has moved and the switches do not hold yet. It is called after every round,
 * and uses the same name in every round of one evacuation: the pair's epoch is claimed in the state table
 * under the time at which this observer's vote became EVACUATE, and Step Functions takes a name only once.
 * The observer's own count of evacuations would not do, because it restarts when the observer's memory is
 * lost. Where the others have moved DNS without this observer, the time is when enough of them had voted.
 */
export class ConductorStart {
  readonly #options: ConductorStartOptions;
  /** The last run started, so that later rounds need no call. */
  #started: string | undefined;
  #underWay: Promise<void> | undefined;

  constructor(options: ConductorStartOptions) {
    this.#options = options;
  }

  /**
   * Starts the conductor if it is due. Returns immediately, so that no round is late because of it. Never
   * throws.
   */
  consider({
    decision,
    decidedAtMs,
    latch,
    quorum,
  }: Pick<TickResult, 'decision' | 'decidedAtMs' | 'latch' | 'quorum'>): void {
    if (this.#underWay !== undefined) return;
    const { phase, voteSinceMs } = decision.state;
    const sight = { phase, latch, quorum, voteSinceMs };
    const isDue = voteSinceMs !== null && evacuationDue(sight);
    if (!isDue && !evacuationSuspected(sight)) return;
    const reason = `${decision.diagnosis}: ${decision.comment}`;
    const work = isDue
      ? this.#startOnce({ voteSinceMs, nowMs: decidedAtMs, reason })
      : this.#askOthers(decidedAtMs);
    this.#underWay = work.catch(this.#options.onError).finally(() => {
      this.#underWay = undefined;
    });
  }

  /** Asks for the votes, because right after a deployment DNS names the standby without any vote. */
  async #askOthers(nowMs: number): Promise<void> {
    const { readWitnesses, votesToEvacuate } = this.#options;
    const reports = await readWitnesses();
    const voteSinceMs = quorumSinceMs(reports, votesToEvacuate);
    if (voteSinceMs === undefined) return;
    const voters = reports.flatMap(({ fresh, vote, region, diagnosis }) =>
      fresh && vote === 'EVACUATE' ? [`${region} (${diagnosis})`] : [],
    );
    const reason = `DNS has moved by the votes of ${voters.join(', ')}`;
    await this.#startOnce({ voteSinceMs, nowMs, reason });
  }

  async #startOnce({ voteSinceMs, nowMs, reason }: Due): Promise<void> {
    const attempt = attemptDue(voteSinceMs, nowMs);
    const key = `${voteSinceMs} ${attempt}`;
    if (this.#started === key) return;
    await this.#start({ voteSinceMs, attempt, reason: reason.slice(0, MAX_REASON) });
    this.#started = key;
  }

  /** Resolves when the pending start is done. For tests, and for callers that have to wait. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  async #start(due: {
    readonly voteSinceMs: number;
    readonly attempt: number;
    readonly reason: string;
  }): Promise<void> {
    const { region, stepFunctions, machineArn, onStart } = this.#options;
    const owner = `observer ${region}`;
    const numbers = await this.#numbers(due);
    if (numbers === undefined) return;
    const { epoch } = numbers;
    const { reason } = due;
    const input: StartInput = { action: 'evacuate', trigger: 'auto', ...numbers, owner, reason };
    const name = executionName(runName(undefined, epoch), due.attempt);
    try {
      await stepFunctions.send(
        new StartExecutionCommand({ stateMachineArn: machineArn, name, input: JSON.stringify(input) }),
        { abortSignal: AbortSignal.timeout(START_TIMEOUT_MS) },
      );
    } catch (error) {
      // An earlier run of this observer has started it, or this one has and lost the answer.
      if (!(error instanceof ExecutionAlreadyExists)) throw error;
    }
    onStart(name);
  }

  /**
   * The evacuation's number, or a new one where a newer act has fenced it: an act about one cell must not end
   * the evacuation of all others. Undefined when such acts have left nothing to do.
   */
  async #numbers(due: {
    readonly voteSinceMs: number;
    readonly attempt: number;
  }): Promise<{ readonly epoch: number; readonly sinceEpoch?: number } | undefined> {
    const { region, state, groups } = this.#options;
    const claim = observerClaim(region, due.voteSinceMs);
    // The time of the vote, not of this call, so that a repeated claim is identical.
    const rest = { who: `observer ${region}`, what: 'evacuate', atMs: due.voteSinceMs };
    const first = await state.claimEpoch({ ...rest, claim });
    if (due.attempt === 0) return { epoch: first };
    const newest = await state.newestClaim();
    if (newest !== undefined && isOfClaim(newest.claim, claim)) {
      return newest.epoch === first ? { epoch: first } : { epoch: newest.epoch, sinceEpoch: first };
    }
    const left = groupsToLatch({ epoch: first, groups, switches: await state.readSwitches() });
    if (left.length === 0) return undefined;
    const epoch = await state.claimEpoch({ ...rest, claim: againClaim(claim, due.attempt) });
    return { epoch, sinceEpoch: first };
  }
}
