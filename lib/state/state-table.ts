import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type Control, type ControlReading, controlKey, parseControl } from '../../lambda/core/control.ts';
import {
  type CheckedEndpoints,
  ENDPOINT_PARTITION,
  parseEndpointItems,
} from '../../lambda/core/endpoint-items.ts';
import { EPOCH_PARTITION, type EpochClaim, epochKey, epochSchema } from '../../lambda/core/epoch.ts';
import type { CellCapacity } from '../../lambda/core/fitness.ts';
import {
  JOURNAL_PARTITION,
  type JournalEntry,
  journalKey,
  journalMarkKey,
  journalMarkSchema,
  journalSchema,
} from '../../lambda/core/journal.ts';
import { type Lease, leaseKey, leaseSchema } from '../../lambda/core/lease.ts';
import {
  CAPACITY_PARTITION,
  capacityKey,
  capacitySchema,
  DRAINED_PARTITION,
  type Drained,
  drainedKey,
  drainedSchema,
} from '../../lambda/core/survey.ts';
import type { Position } from '../../lambda/core/switch.ts';
import { SWITCH_PARTITION, switchKey, switchPosition } from '../../lambda/core/switch.ts';
import { WOULD_PARTITION, type WouldHaveMoved, wouldKey, wouldSchema } from '../../lambda/core/would.ts';
import { type Item, StateCalls, type StateTableOptions } from './calls.ts';
import { FencedError, LeaseHeldError, StateConflictError } from './errors.ts';

/** One switch as it is stored. */
export interface StoredSwitch {
  readonly group: string;
  readonly position: Position;
  /** Epoch of the act that set the switch; 0 when it was never set. */
  readonly epoch: number;
  readonly owner?: string;
  readonly reason?: string;
  readonly atMs?: number;
}

export interface SwitchChange {
  readonly group: string;
  readonly position: Position;
  readonly epoch: number;
  readonly owner: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface TakeLease {
  readonly nowMs: number;
  /**
   * A newer epoch takes the lease from a living older one. That is safe, because every switch is fenced by
   * its own epoch; evacuations need this, because they must not wait for a failback's pause.
   */
  readonly overOlder?: boolean;
}

const MAX_HISTORY = 1_000;
/** How many of the newest claims are searched for a repeated one. */
const CLAIMS_LOOKED_AT = 50;
const MAX_CLAIM_ATTEMPTS = 8;
const isNew = 'attribute_not_exists(#pk)';
/** Condition for an item that belongs to an act: no later act has written it. */
const epochIsNotNewer = 'attribute_not_exists(#epoch) OR #epoch <= :epoch';
const leaseIsFreeOrMine = 'attribute_not_exists(#holder) OR #holder = :holder OR #until < :now';

/**
 * The state table: everything durable, in one table of the standby: control, switches, epochs, lease and
 * journal. Every write is conditional, and every call may throw StateUnavailableError.
 */
export class StateTable {
  readonly #calls: StateCalls;

  constructor(options: StateTableOptions) {
    this.#calls = new StateCalls(options);
  }

  async readControl(): Promise<ControlReading> {
    return parseControl(await this.#calls.get(controlKey));
  }

  /**
   * Replaces the control item, if it is still the item that was read (`revision` of the reading, undefined =
   * there was no item).
   *
   * @throws StateConflictError
   */
  async writeControl(control: Control, expectedRevision: number | undefined): Promise<void> {
    const written = await this.#calls.write(
      new PutCommand({
        TableName: this.#calls.table,
        Item: { ...controlKey, ...control, revision: (expectedRevision ?? 0) + 1 },
        ConditionExpression:
          expectedRevision === undefined ? 'attribute_not_exists(#revision)' : '#revision = :revision',
        ExpressionAttributeNames: { '#revision': 'revision' },
        ...(expectedRevision === undefined
          ? {}
          : { ExpressionAttributeValues: { ':revision': expectedRevision } }),
      }),
    );
    if (!written) {
      throw new StateConflictError(
        'The control item has changed since it was read: look at it again, and repeat the command.',
      );
    }
  }

  /**
   * The control item as it is stored, with its `revision`, for callers that must keep an item that cannot be
   * understood.
   */
  async readControlItem(): Promise<Item | undefined> {
    return this.#calls.get(controlKey);
  }

  /** Reads the switches that were ever set, all or those of a range of names (both ends included). */
  async readSwitches(between?: {
    readonly from: string;
    readonly to: string;
  }): Promise<readonly StoredSwitch[]> {
    const items = await this.#calls.query(SWITCH_PARTITION, between === undefined ? {} : { between });
    return items.map(storedSwitch);
  }

  /**
   * Sets one switch, unless an act of a newer epoch has set it. Setting a switch to its present position is
   * no error.
   *
   * @throws FencedError
   */
  async setSwitch(change: SwitchChange): Promise<void> {
    const { group, ...values } = change;
    const written = await this.#calls.write(
      new PutCommand({
        TableName: this.#calls.table,
        Item: { ...switchKey(group), ...values },
        ConditionExpression: epochIsNotNewer,
        ExpressionAttributeNames: { '#epoch': 'epoch' },
        ExpressionAttributeValues: { ':epoch': change.epoch },
      }),
    );
    if (!written) {
      throw new FencedError(`The switch of ${group} was set by a newer epoch than ${change.epoch}.`);
    }
  }

  /** The number of the newest act; 0 when there never was one. */
  async newestEpoch(): Promise<number> {
    return (await this.newestClaim())?.epoch ?? 0;
  }

  /** The newest act; undefined when there never was one. */
  async newestClaim(): Promise<EpochClaim | undefined> {
    const [newest] = await this.#claims(1);
    return newest;
  }

  /** The act of this number; undefined when there is none, or when it cannot be understood. */
  async readClaim(epoch: number): Promise<EpochClaim | undefined> {
    const parsed = epochSchema.safeParse(await this.#calls.get(epochKey(epoch)));
    return parsed.success ? parsed.data : undefined;
  }

  /**
   * Claims the number of an act: the next number, or the number that the act has already. Two callers that
   * ask at the same time for different acts get different numbers; a repeated request with the same `claim`
   * gets the same number (unless 50 other acts came in between).
   *
   * @throws StateConflictError when other callers were faster each time.
   */
  async claimEpoch(claim: Omit<EpochClaim, 'epoch'>): Promise<number> {
    for (let attempt = 0; attempt < MAX_CLAIM_ATTEMPTS; attempt++) {
      const claims = await this.#claims(CLAIMS_LOOKED_AT);
      const mine = claims.find((made) => made.claim === claim.claim);
      if (mine !== undefined) return mine.epoch;
      const epoch = (claims[0]?.epoch ?? 0) + 1;
      const item = { ...epochKey(epoch), ...claim, epoch };
      if (await this.#putNew(item)) return epoch;
    }
    throw new StateConflictError(
      'Other acts keep beginning: look at `spillway history`, and repeat the command.',
    );
  }

  /** The lease, or undefined when nobody ever held it. */
  async readLease(): Promise<Lease | undefined> {
    const parsed = leaseSchema.safeParse(await this.#calls.get(leaseKey));
    return parsed.success ? parsed.data : undefined;
  }

  /**
   * Takes or renews the lease. A newer epoch takes the lease over when it has expired (or immediately, with
   * `overOlder`); an older epoch never gets the lease.
   *
   * @throws FencedError, LeaseHeldError
   */
  async takeLease(lease: Lease, { nowMs, overOlder = false }: TakeLease): Promise<void> {
    const free = overOlder ? `${leaseIsFreeOrMine} OR #epoch < :epoch` : leaseIsFreeOrMine;
    const written = await this.#calls.write(
      new UpdateCommand({
        TableName: this.#calls.table,
        Key: leaseKey,
        UpdateExpression: 'SET #holder = :holder, #epoch = :epoch, #until = :until',
        ConditionExpression: `(${free}) AND (${epochIsNotNewer})`,
        ExpressionAttributeNames: { '#holder': 'holder', '#epoch': 'epoch', '#until': 'untilMs' },
        ExpressionAttributeValues: {
          ':holder': lease.holder,
          ':epoch': lease.epoch,
          ':until': lease.untilMs,
          ':now': nowMs,
        },
      }),
    );
    if (written) return;
    const current = await this.readLease();
    if (current !== undefined && current.epoch > lease.epoch) {
      throw new FencedError(
        `Epoch ${current.epoch} (${current.holder}) has begun: epoch ${lease.epoch} is over.`,
      );
    }
    throw new LeaseHeldError(`${current?.holder ?? 'Another act'} holds the lease: wait until it ends.`);
  }

  /**
   * Gives the lease back before it expires. The epoch stays, because it is the fence. The lease of another
   * holder is left alone.
   */
  async releaseLease(holder: string): Promise<void> {
    await this.#calls.write(
      new UpdateCommand({
        TableName: this.#calls.table,
        Key: leaseKey,
        UpdateExpression: 'SET #until = :zero',
        ConditionExpression: '#holder = :holder',
        ExpressionAttributeNames: { '#holder': 'holder', '#until': 'untilMs' },
        ExpressionAttributeValues: { ':holder': holder, ':zero': 0 },
      }),
    );
  }

  /**
   * Appends to the journal. Two entries with the same `id` and time are one entry, and the first one stays.
   */
  async journal(entry: JournalEntry, id: string): Promise<void> {
    await this.#putNew({ ...journalKey(entry.atMs, id), ...entry });
  }

  /**
   * Appends to the journal once for this `id`, however often and whenever it is repeated: the time of the
   * first write counts, and is returned. If the process is killed between the two writes, the repetition
   * completes them.
   */
  async journalOnce(entry: JournalEntry, id: string): Promise<number> {
    const isFirst = await this.#putNew({ ...journalMarkKey(id), atMs: entry.atMs });
    const mark = isFirst ? undefined : journalMarkSchema.safeParse(await this.#calls.get(journalMarkKey(id)));
    const atMs = mark?.success ? mark.data.atMs : entry.atMs;
    await this.journal({ ...entry, atMs }, id);
    return atMs;
  }

  /** Reads the journal, newest first, at most 1,000 entries; entries that cannot be read are left out. */
  async history(limit = 50): Promise<readonly JournalEntry[]> {
    const items = await this.#calls.query(JOURNAL_PARTITION, {
      newestFirst: true,
      limit: Math.min(limit, MAX_HISTORY),
    });
    return items.flatMap((item) => {
      const parsed = journalSchema.safeParse(item);
      return parsed.success ? [parsed.data] : [];
    });
  }

  /** Records a move that the mode has held back; the same one again changes nothing. */
  async recordWould(would: WouldHaveMoved): Promise<void> {
    await this.#putNew({ ...wouldKey(would), ...would });
  }

  /** Moves that the mode has held back, newest first. */
  async readWould(limit = 50): Promise<readonly WouldHaveMoved[]> {
    const items = await this.#calls.query(WOULD_PARTITION, {
      newestFirst: true,
      limit: Math.min(limit, MAX_HISTORY),
    });
    return items.flatMap((item) => {
      const parsed = wouldSchema.safeParse(item);
      return parsed.success ? [parsed.data] : [];
    });
  }

  /** Whether `journalOnce` has written this entry. */
  async wasJournalled(id: string): Promise<boolean> {
    return (await this.#calls.get(journalMarkKey(id))) !== undefined;
  }

  /** Reads what is known of the cells' streams; items that cannot be read are left out. */
  async readCapacities(): Promise<readonly CellCapacity[]> {
    const items = await this.#calls.query(CAPACITY_PARTITION);
    return items.flatMap((item) => {
      const parsed = capacitySchema.safeParse(item);
      return parsed.success ? [parsed.data] : [];
    });
  }

  /** Replaces what is known of one cell's streams, unless a later survey has done so. */
  async writeCapacity(capacity: CellCapacity): Promise<void> {
    await this.#calls.write(
      new PutCommand({
        TableName: this.#calls.table,
        Item: { ...capacityKey(capacity.cell), ...capacity },
        ConditionExpression: 'attribute_not_exists(#at) OR #at <= :at',
        ExpressionAttributeNames: { '#at': 'surveyedAtMs' },
        ExpressionAttributeValues: { ':at': capacity.surveyedAtMs },
      }),
    );
  }

  /** Deletes what is known of a removed cell, whose streams would otherwise be judged for ever. */
  async forgetCapacity(cell: string): Promise<void> {
    await this.#calls.write(new DeleteCommand({ TableName: this.#calls.table, Key: capacityKey(cell) }));
  }

  /** Reads the epoch of the last evacuation whose stranded records have been drained, by cell. */
  async readDrained(): Promise<ReadonlyMap<string, number>> {
    return new Map([...(await this.readDrainedMarks())].map(([cell, { epoch }]) => [cell, epoch]));
  }

  /** Reads the marks of drained cells, by cell; marks that cannot be read are left out. */
  async readDrainedMarks(): Promise<ReadonlyMap<string, Drained>> {
    const items = await this.#calls.query(DRAINED_PARTITION);
    return new Map(
      items.flatMap((item) => {
        const parsed = drainedSchema.safeParse(item);
        return parsed.success ? [[String(item.sk), parsed.data] as const] : [];
      }),
    );
  }

  /** Marks the records that this evacuation stranded in the primary as read, for this cell. */
  async markDrained({ cell, ...mark }: Drained & { readonly cell: string }): Promise<void> {
    await this.#calls.write(
      new PutCommand({
        TableName: this.#calls.table,
        Item: { ...drainedKey(cell), ...mark },
        ConditionExpression: epochIsNotNewer,
        ExpressionAttributeNames: { '#epoch': 'epoch' },
        ExpressionAttributeValues: { ':epoch': mark.epoch },
      }),
    );
  }

  /** Reads what the health checks ask, as the deployment has recorded it. */
  async readEndpoints(): Promise<CheckedEndpoints> {
    return parseEndpointItems(await this.#calls.query(ENDPOINT_PARTITION));
  }

  async #claims(limit: number): Promise<readonly EpochClaim[]> {
    const items = await this.#calls.query(EPOCH_PARTITION, { newestFirst: true, limit });
    return items.flatMap((item) => {
      const parsed = epochSchema.safeParse(item);
      return parsed.success ? [parsed.data] : [];
    });
  }

  #putNew(item: Item): Promise<boolean> {
    return this.#calls.write(
      new PutCommand({
        TableName: this.#calls.table,
        Item: item,
        ConditionExpression: isNew,
        ExpressionAttributeNames: { '#pk': 'pk' },
      }),
    );
  }
}

function storedSwitch(item: Item): StoredSwitch {
  return {
    group: String(item.sk),
    position: switchPosition(item),
    epoch: typeof item.epoch === 'number' ? item.epoch : 0,
    ...(typeof item.owner === 'string' ? { owner: item.owner } : {}),
    ...(typeof item.reason === 'string' ? { reason: item.reason } : {}),
    ...(typeof item.atMs === 'number' ? { atMs: item.atMs } : {}),
  };
}
