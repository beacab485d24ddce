import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { type ControlReading, controlKey, parseControl } from '../core/control.ts';
import type { Decision } from '../core/decide.ts';
import type { Latch } from '../core/lifecycle.ts';
import { type Memory, parseMemory, serializeMemory } from '../core/memory.ts';
import { latchOf, SWITCH_PARTITION } from '../core/switch.ts';
import { observerKey } from '../core/vote.ts';

/** Every read and write is bounded by this; a tick has room for one of each beside its probes. */
export const STORE_TIMEOUT_MS = 1_500;

export interface StoreOptions {
  /** Client of the observer's own region. */
  readonly own: DynamoDBDocumentClient;
  readonly voteTable: string;
  /** Client of the standby, where control item and switches are. */
  readonly standby: DynamoDBDocumentClient;
  readonly stateTable: string;
  readonly switchGroups: number;
}

export interface StoredTick {
  readonly memory: Memory;
  readonly decision: Decision;
  readonly decidedAtMs: number;
  readonly expiresAtMs: number;
}

export type SaveResult = 'saved' | 'superseded';

const ownerIsThisRun = '#owner = :owner';

/** The observer's memory and vote, and what operators have said. */
export class ObserverStore {
  readonly #options: StoreOptions;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /**
   * Makes this run the owner of the observer's item and returns what the last run left. From now on an older run that
   * still ticks finds its writes refused and stops: two runs never mix their evidence.
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
            epoch: decision.state.epoch,
            diagnosis: decision.diagnosis,
            comment: decision.comment,
            refusals: decision.refusals,
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
      const { Item } = await this.#options.standby.send(
        new GetCommand({ TableName: this.#options.stateTable, Key: controlKey, ConsistentRead: true }),
        bounded(),
      );
      return parseControl(Item);
    } catch {
      return 'unreadable';
    }
  }

  /** Never throws: what cannot be read is `unknown`, and that keeps a vote standing. */
  async readLatch(): Promise<Latch> {
    try {
      const { Items } = await this.#options.standby.send(
        new QueryCommand({
          TableName: this.#options.stateTable,
          KeyConditionExpression: '#pk = :switches',
          ExpressionAttributeNames: { '#pk': 'pk' },
          ExpressionAttributeValues: { ':switches': SWITCH_PARTITION },
          ConsistentRead: true,
        }),
        bounded(),
      );
      return latchOf(Items ?? [], this.#options.switchGroups);
    } catch {
      return latchOf('unreadable', this.#options.switchGroups);
    }
  }
}

function bounded(): { readonly abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(STORE_TIMEOUT_MS) };
}
