import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { ConductorStart as StartInput } from '../../lib/conductor/input.ts';
import type { StateTable } from '../../lib/state/state-table.ts';
import { type GroupMove, groupsToMove, isHeldByMode, regionHeldByMode } from '../core/cell-quorum.ts';
import { attemptDue, executionName, runName } from '../core/conductor.ts';
import type { ObserverReport } from '../core/conductor-observers.ts';
import type { WatchedCell } from '../core/watched-cells.ts';
import type { WouldHaveMoved } from '../core/would.ts';
import { START_TIMEOUT_MS } from './conductor-start.ts';
import type { TickResult } from './tick.ts';

const MAX_REASON = 500;
/** Groups of one act. The input of an execution names each of them. */
const MAX_GROUPS = 50;
/** An act sets its switches within some seconds, even if its function starts cold; observers see it a round later. */
const LATCH_MS = 30_000;
/** Beginnings that are remembered, at most: of moves started, and of moves that the mode has held. */
const MOST_REMEMBERED = 1_000;

export interface CellMovesOptions {
  /** The observer's own region, which is the standby. */
  readonly region: string;
  readonly machineArn: string;
  readonly stepFunctions: Pick<SFNClient, 'send'>;
  readonly state: Pick<StateTable, 'claimEpoch' | 'recordWould'>;
  readonly cells: readonly WatchedCell[];
  readonly votesToEvacuate: number;
  /** Reads what the other observers have stored, if they answer in time. */
  readonly readWitnesses: () => Promise<readonly ObserverReport[]>;
  readonly onStart: (executionName: string) => void;
  readonly onError: (error: unknown) => void;
}

type Seen = Pick<TickResult, 'decision' | 'decidedAtMs' | 'cells' | 'quorum'>;

/**
 * Starts the conductor for cells that K observers accuse, while the region stays where it is. Called after every round,
 * and asks the others in every round: they may see what this observer does not. What an act has begun is remembered by
 * its beginning, which stays the same while the accusation stands, and the same claim gives the same number and the same
 * name of an execution: twice is once, whoever asks.
 */
export class CellMoves {
  readonly #options: CellMovesOptions;
  /** Groups that were started, with the beginning of their accusation and the attempt. */
  readonly #started = new Map<string, string>();
  /** When each of them was started. A group that is still asked for after that is not latched yet. */
  readonly #startedAtMs = new Map<string, number>();
  readonly #recorded = new Set<string>();
  #underWay: Promise<void> | undefined;

  constructor(options: CellMovesOptions) {
    this.#options = options;
  }

  /** Returns immediately, so that no round is late because of it. Never throws. */
  consider(seen: Seen): void {
    if (this.#underWay !== undefined) return;
    this.#underWay = this.#look(seen)
      .catch(this.#options.onError)
      .finally(() => {
        this.#underWay = undefined;
      });
  }

  /** Resolves when the pending look is done. For tests, and for callers that have to wait. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  async #look({ decision, decidedAtMs, cells: own, quorum }: Seen): Promise<void> {
    const { region, cells, votesToEvacuate, readWitnesses } = this.#options;
    const witnesses = await readWitnesses();
    const reports: readonly ObserverReport[] = [
      {
        region,
        fresh: true,
        vote: decision.vote,
        diagnosis: decision.diagnosis,
        decidedAtMs,
        healthySinceMs: decision.state.healthySinceMs,
        cells: own,
        refusedBy: decision.refusals.map(({ rule }) => rule),
        ...(decision.state.actionableSinceMs === null
          ? {}
          : { actionableSinceMs: decision.state.actionableSinceMs }),
      },
      ...witnesses,
    ];
    const question = { accusers: reports, cells, votesToEvacuate };
    // Once the votes have moved DNS, every cell has moved with it.
    if (quorum !== 'standby') await this.#start(groupsToMove(question), decidedAtMs);
    await this.#record(reports, groupsToMove({ ...question, counts: isHeldByMode }));
  }

  async #start(moves: readonly GroupMove[], nowMs: number): Promise<void> {
    // A newer act takes the lease of an older one, which would then have to wait for its next attempt: the next act begins
    // when the one before has set its switches, or has had the time for it.
    if (
      moves.some(({ group }) => nowMs - (this.#startedAtMs.get(group) ?? Number.NEGATIVE_INFINITY) < LATCH_MS)
    )
      return;
    const due = moves
      .map((move) => ({ ...move, key: `${move.sinceMs} ${attemptDue(move.sinceMs, nowMs)}` }))
      .filter(({ group, key }) => this.#started.get(group) !== key)
      .slice(0, MAX_GROUPS);
    const [first] = due;
    if (first === undefined) return;
    const { region, state, stepFunctions, machineArn, onStart } = this.#options;
    const owner = `observer ${region}`;
    const groups = due.map(({ group }) => group).toSorted();
    const sinceMs = Math.min(...due.map((move) => move.sinceMs));
    const attempt = attemptDue(sinceMs, nowMs);
    const claim = `cells:${region}:${sinceMs}:${attempt}:${groups.join(',')}`;
    const epoch = await state.claimEpoch({ claim, who: owner, what: 'evacuate', atMs: sinceMs, groups });
    const name = executionName(runName(groups, epoch), 0);
    const reason = `StreamImpaired: ${due.map((move) => move.reason).join('; ')}`.slice(0, MAX_REASON);
    const input: StartInput = { action: 'evacuate', trigger: 'cells', epoch, groups, owner, reason };
    try {
      await stepFunctions.send(
        new StartExecutionCommand({ stateMachineArn: machineArn, name, input: JSON.stringify(input) }),
        { abortSignal: AbortSignal.timeout(START_TIMEOUT_MS) },
      );
    } catch (error) {
      // An earlier run of this observer has started it, or this one has and lost the answer.
      if (!(error instanceof ExecutionAlreadyExists)) throw error;
    }
    if (this.#started.size > MOST_REMEMBERED) {
      this.#started.clear();
      this.#startedAtMs.clear();
    }
    for (const { group, key } of due) {
      this.#started.set(group, key);
      this.#startedAtMs.set(group, nowMs);
    }
    onStart(name);
  }

  async #record(reports: readonly ObserverReport[], held: readonly GroupMove[]): Promise<void> {
    const { region, votesToEvacuate, state } = this.#options;
    const who = `observer ${region}`;
    const whole = regionHeldByMode(reports, votesToEvacuate);
    const would: readonly WouldHaveMoved[] = [
      ...(whole === undefined ? [] : [{ ...whole, scope: 'region', cells: [], who }]),
      ...held.map(({ group, cells, sinceMs, reason }) => ({
        scope: group,
        cells: [...cells],
        sinceMs,
        reason,
        who,
      })),
    ];
    for (const one of would) {
      const key = `${one.scope} ${one.sinceMs}`;
      if (this.#recorded.has(key)) continue;
      await state.recordWould({ ...one, reason: one.reason.slice(0, MAX_REASON) });
      if (this.#recorded.size > MOST_REMEMBERED) this.#recorded.clear();
      this.#recorded.add(key);
    }
  }
}
