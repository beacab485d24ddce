import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { StateCalls } from '../../lib/state/calls.ts';
import type { BeaconTable } from '../core/beacon-table.ts';
import type { CellFinding } from '../core/cell-findings.ts';
import { type ControlReading, controlKey, parseControl } from '../core/control.ts';
import type { Decision } from '../core/decide.ts';
import type { Latch } from '../core/lifecycle.ts';
import { type Memory, parseMemory, serializeMemory } from '../core/memory.ts';
import type { GroupSwitch } from '../core/streams.ts';
import { latchOf, SWITCH_PARTITION, switchPosition } from '../core/switch.ts';
import { observerKey } from '../core/vote.ts';

/** Time-out of every read and write; a tick has room for one of each beside its probes. */
export const STORE_TIMEOUT_MS = 1_500;

export interface StoreOptions {
  /** Client of the observer's own region. */
  readonly own: DynamoDBDocumentClient;
  readonly voteTable: string;
  /** Client of the standby, where control item and switches are. */
  readonly standby: DynamoDBDocumentClient;
  readonly stateTable: string;
  /** Groups that are configured now. The switch of a removed group must not count. */
  readonly switchGroups: ReadonlySet<string>;
}

export interface StoredTick {
  readonly memory: Memory;
  readonly decision: Decision;
  readonly cells: readonly CellFinding[];
  /** Only where beacons are on. */
  readonly beaconTable?: BeaconTable;
  readonly decidedAtMs: number;
  readonly expiresAtMs: number;
}

/** The switches as an observer reads them. */
export interface SwitchesRead {
  readonly latch: Latch;
  /** Undefined when they cannot be read. */
  readonly switches: readonly GroupSwitch[] | undefined;
}

export type SaveResult = 'saved' | 'superseded';

const ownerIsThisRun = '#owner = :owner';

/** The observer's memory and vote, and what operators have said. */
export class ObserverStore {
  readonly #options: StoreOptions;
  readonly #standby: StateCalls;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#standby = new StateCalls({
      client: options.standby,
      table: options.stateTable,
      timeoutMs: STORE_TIMEOUT_MS,
    });
  }

  /**
   * Makes this run the owner of the observer's item and returns the memory of the last run. From now on the
   * writes of an older run that still ticks are refused, and it stops: two runs never mix their evidence.
   */
  async takeOver(owner: string): Promise<Memory> {
    const { Attributes } = await this.#options.own.send(
      new UpdateCommand({
        TableName: this.#options.voteTable,
        Key: observerKey,
        UpdateExpression: 'SET #owner = :owner',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': owner },
        ReturnValues: 'ALL_NEW',
      }),
      bounded(),
    );
    return parseMemory(Attributes?.memory);
  }

  /** Memory and vote in one conditional write. `superseded`: a newer run owns the item, so this one must end. */
  async save(owner: string, tick: StoredTick): Promise<SaveResult> {
    const { decision } = tick;
    try {
      await this.#options.own.send(
        new PutCommand({
          TableName: this.#options.voteTable,
          Item: {
            ...observerKey,
            owner,
            vote: decision.vote,
            decidedAtMs: tick.decidedAtMs,
            expiresAtMs: tick.expiresAtMs,
            phase: decision.state.phase,
            voteSinceMs: decision.state.voteSinceMs,
            healthySinceMs: decision.state.healthySinceMs,
            epoch: decision.state.epoch,
            diagnosis: decision.diagnosis,
            comment: decision.comment,
            refusals: decision.refusals,
            actionableSinceMs: decision.state.actionableSinceMs,
            ...(tick.cells.length === 0 ? {} : { cells: tick.cells }),
            ...(tick.beaconTable === undefined ? {} : { beacons: tick.beaconTable }),
            memory: serializeMemory(tick.memory),
          },
          ConditionExpression: ownerIsThisRun,
          ExpressionAttributeNames: { '#owner': 'owner' },
          ExpressionAttributeValues: { ':owner': owner },
        }),
        bounded(),
      );
      return 'saved';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'superseded';
      throw error;
    }
  }

  /** Never throws: what cannot be read is `unreadable`, and that stops a new evacuation. */
  async readControl(): Promise<ControlReading> {
    try {
      return parseControl(await this.#standby.get(controlKey));
    } catch {
      return 'unreadable';
    }
  }

  /** Never throws: a latch that cannot be read is `unknown`, and that keeps a vote standing. */
  async readSwitches(): Promise<SwitchesRead> {
    const { switchGroups } = this.#options;
    try {
      const signal = AbortSignal.timeout(STORE_TIMEOUT_MS);
      const items = await this.#standby.query(SWITCH_PARTITION, { signal });
      const ours = items.filter(({ sk }) => switchGroups.has(String(sk)));
      return { latch: latchOf(ours, switchGroups.size), switches: ours.map(groupSwitch) };
    } catch {
      return { latch: latchOf('unreadable', switchGroups.size), switches: undefined };
    }
  }
}

const groupSwitch = (item: Record<string, unknown>): GroupSwitch => ({
  group: String(item.sk),
  position: switchPosition(item),
  ...(typeof item.atMs === 'number' ? { setAtMs: item.atMs } : {}),
});

function bounded(): { readonly abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(STORE_TIMEOUT_MS) };
}
