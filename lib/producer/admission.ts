import { asRecordError, bytesOf, CheckedRecord, lengthOf, type RecordRules } from './checked-record.ts';
import { EachTicket, Entry, Ticket } from './entry.ts';
import type { Enveloping } from './enveloping.ts';
import { BufferFullError } from './errors.ts';
import type { Gate } from './gate.ts';
import type { HotShard } from './hot-shards.ts';
import { Parked, type ParkedRecord } from './parked.ts';
import { type OutgoingRecord, type ProducerRecord, sizeOf } from './record.ts';
import type { Route } from './route.ts';
import type { Newcomer } from './sender.ts';
import { SwapRemoveList } from './swap-remove-list.ts';

const KEY_FULL = 'The share of memory of this key or shard is full: put the record again later.';
const ALL_FULL = 'The buffer is full: put the record again later.';

/** A call of `put` or `putMany` that still has records to be taken in. */
interface Waiting {
  readonly ticket: Ticket;
  /** The records as the caller gave them; not checked, so they may be of any type. */
  readonly given: readonly unknown[];
  readonly length: number;
  /**
   * The records of `given` that were read and checked when the call had to wait; undefined where a record has
   * failed.
   */
  kept: readonly (CheckedRecord | undefined)[] | undefined;
  next: number;
  /** How many records from `next` on have not failed. */
  left: number;
  /** The next record, if it was read but there was no room for it. */
  read: CheckedRecord | undefined;
}

export interface AdmissionOptions {
  readonly maxRecordBytes: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Applied to each record when it is taken in, in the order of the calls. */
  readonly envelope?: Pick<Enveloping, 'bytes' | 'wrap'> | undefined;
}

/**
 * The admission queue. It takes calls in their order, record by record as there is room, so a later call
 * never overtakes a waiting one. Each record is read once, before the caller's code runs again: when the
 * record is taken in, or when it has to wait. A record that cannot be taken fails at that moment, and fails
 * alone.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #rules: RecordRules;
  #waiting: Waiting[] = [];
  /** The call whose record is being read. A getter of the record may itself call `put`. */
  #reading: Waiting | undefined;
  #from = 0;
  /** Calls with at least one record whose outcome is open, even if another record has failed. */
  readonly #open = new SwapRemoveList<Ticket>();
  readonly #parked = new Parked();
  #settled: { readonly tickets: Set<Ticket>; readonly resolve: () => void }[] = [];

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#rules = {
      maxRecordBytes: options.maxRecordBytes,
      envelopeBytes: options.envelope?.bytes ?? 0,
    };
  }

  get isWaiting(): boolean {
    return this.#from < this.#waiting.length || this.#parked.size > 0;
  }

  /**
   * Queues a call. Then `take` what there is room for, and `keep` the rest.
   *
   * @throws RecordError when `records` is not an array.
   */
  call(records: readonly ProducerRecord[]): Ticket {
    const length = lengthOf(records, 'What `putMany` takes');
    return this.#queued(records, new Ticket(length, this.#options.now(), this.#ended));
  }

  /**
   * The same for a call that does not wait: after it was let in, `refuse` the rest.
   *
   * @throws RecordError when `records` is not an array.
   */
  callEach(records: readonly ProducerRecord[]): EachTicket {
    const length = lengthOf(records, 'What `putEach` takes');
    return this.#queued(records, new EachTicket(length, this.#options.now(), this.#ended));
  }

  #queued<Call extends Ticket>(records: readonly ProducerRecord[], ticket: Call): Call {
    const { length } = ticket.receipts;
    if (length === 0) return ticket;
    this.#open.add(ticket);
    this.#waiting.push({
      ticket,
      given: records,
      length,
      kept: undefined,
      next: 0,
      left: length,
      read: undefined,
    });
    return ticket;
  }

  /** Takes in the records that have room now, and tells the gate. */
  letIn(gate: Gate): void {
    // A getter called `put`: the outer call, which is reading that record, also takes in the new records.
    if (this.#reading !== undefined) return;
    const nowMs = this.#options.now();
    if (this.#parked.size > 0) {
      this.#parked.letIn((parked) => {
        if (gate.isShut) return 'stop';
        const newcomer = gate.newcomerOf(parked.record);
        const route = gate.routeOf(newcomer);
        if (route === 'stop') return route;
        if (route === 'later' || route === 'soon') return false;
        this.#takeIn(parked.record, { ...parked, gate, route, shard: newcomer.shard, nowMs });
        return true;
      });
    }
    for (let call = this.#waiting[this.#from]; call !== undefined && !gate.isShut; ) {
      const { next: index, ticket } = call;
      const record = this.#read(call, index);
      const newcomer = record === undefined || !this.#isAsked(gate) ? undefined : gate.newcomerOf(record);
      const route = newcomer === undefined ? 'memory' : this.#routeOf(newcomer, gate, ticket);
      if (route === 'stop') {
        call.read = record;
        return;
      }
      if (++call.next === call.length) this.#shift();
      if (record !== undefined) {
        call.read = undefined;
        call.left--;
        if (route === 'memory' || route === 'disk')
          this.#takeIn(record, { ticket, index, gate, route, shard: newcomer?.shard, nowMs });
        else if (newcomer !== undefined) this.#setAside(newcomer.lane, route, { record, ticket, index });
      }
      call = this.#waiting[this.#from];
    }
  }

  #isAsked(gate: Gate): boolean {
    return gate.isSelective || this.#parked.size > 0;
  }

  #routeOf(newcomer: Newcomer, gate: Gate, ticket: Ticket): Route {
    if (ticket instanceof EachTicket && ticket.refusedLanes.has(newcomer.lane)) return 'later';
    if (!this.#parked.has(newcomer.lane)) return gate.routeOf(newcomer);
    if (!(ticket instanceof EachTicket)) return 'later';
    // It waits behind those of its lane for as long as there is room for it.
    const route = gate.routeOf(newcomer);
    return route === 'later' || route === 'stop' ? 'later' : 'soon';
  }

  /** A record whose own key or shard has no room waits, or fails if its call does not wait for more than a moment. */
  #setAside(lane: number, route: 'later' | 'soon', parked: ParkedRecord): void {
    const { ticket, index } = parked;
    if (route === 'soon' || !(ticket instanceof EachTicket)) {
      this.#parked.add(lane, parked);
      return;
    }
    ticket.refusedLanes.add(lane);
    ticket.fail(new BufferFullError(KEY_FULL), index);
  }

  /** Fails what of the call has not been taken in, instead of letting it wait. Call directly after `callEach` and `letIn`. */
  refuse(ticket: EachTicket, error: Error = new BufferFullError(ALL_FULL)): void {
    const call = this.#waiting.at(-1);
    if (call?.ticket !== ticket || this.#from === this.#waiting.length) return;
    this.#keep(call);
    this.#waiting.pop();
    ticket.failSome(call.left, error, call.next);
  }

  /** Reads a record; undefined if it has failed. */
  #read(call: Waiting, index: number): CheckedRecord | undefined {
    if (call.kept !== undefined) return call.kept[index];
    if (call.read !== undefined) return call.read;
    return this.#checked(call, index);
  }

  /** Checks a record; undefined if it fails. */
  #checked(call: Waiting, index: number): CheckedRecord | undefined {
    const outer = this.#reading;
    this.#reading = call;
    try {
      return new CheckedRecord(call.given[index], this.#rules);
    } catch (error) {
      call.left--;
      call.ticket.fail(asRecordError(error), index);
      return undefined;
    } finally {
      this.#reading = outer;
    }
  }

  #takeIn(record: CheckedRecord, admitted: Admitted): void {
    try {
      admitted.gate.take(this.#entry(record, admitted), admitted.route);
    } catch (error) {
      admitted.ticket.fail(asRecordError(error), admitted.index);
    }
  }

  /**
   * Copies what still waits. Call before the caller's code runs again, since the caller may change its array.
   */
  keep(): void {
    for (let n = this.#waiting.length - 1; n >= this.#from; n--) {
      const call = this.#waiting[n] as Waiting;
      if (call.kept !== undefined || call === this.#reading) return;
      this.#keep(call);
      if (call.left === 0 && call === this.#waiting.at(-1)) this.#waiting.pop();
    }
  }

  /** Resolves when the outcome of every record put so far is known, success or failure. */
  async settled(): Promise<void> {
    const tickets = new Set(this.#open);
    if (tickets.size > 0) await new Promise<void>((resolve) => this.#settled.push({ tickets, resolve }));
  }

  /** Fails calls that were made before this moment and still wait. Their records that were taken in go on. */
  expire(beforeMs: number, error: Error): void {
    for (const { ticket, index } of this.#parked.takeBefore(beforeMs)) ticket.fail(error, index);
    for (let call = this.#waiting[this.#from]; call !== undefined && call.ticket.acceptedAtMs < beforeMs; ) {
      call.ticket.failSome(call.left, error, call.next);
      this.#shift();
      call = this.#waiting[this.#from];
    }
  }

  /**
   * Fails all records that were not taken in; a record that is itself invalid still fails with its own error.
   */
  failWaiting(error: Error): void {
    this.keep();
    for (const { ticket, index } of this.#parked.takeBefore(Number.POSITIVE_INFINITY))
      ticket.fail(error, index);
    const waiting = this.#waiting.slice(this.#from);
    this.#waiting = [];
    this.#from = 0;
    for (const { ticket, left, next } of waiting) ticket.failSome(left, error, next);
  }

  /** Fails every call with a record whose outcome is open, wherever that record is. For `close`. */
  failOpen(error: Error): void {
    this.failWaiting(error);
    for (const ticket of [...this.#open]) ticket.failAll(error);
  }

  readonly #ended = (ticket: Ticket): void => {
    this.#open.delete(ticket);
    for (const { tickets, resolve } of this.#settled) {
      if (tickets.delete(ticket) && tickets.size === 0) resolve();
    }
    if (this.#settled.length > 0) this.#settled = this.#settled.filter(({ tickets }) => tickets.size > 0);
  };

  #keep(call: Waiting): void {
    const { length } = call;
    const kept = new Array<CheckedRecord | undefined>(length).fill(undefined);
    for (let index = call.next; index < length; index++) {
      const read = index === call.next ? call.read : undefined;
      kept[index] = read ?? this.#checked(call, index);
    }
    call.kept = kept;
    call.read = undefined;
  }

  #entry(record: CheckedRecord, { ticket, index, shard, nowMs }: Admitted): Entry {
    const { envelope } = this.#options;
    const { partitionKey, explicitHashKey } = record;
    const bytes = bytesOf(record);
    const outgoing: OutgoingRecord = {
      partitionKey,
      data: envelope === undefined ? bytes : envelope.wrap(partitionKey, bytes),
      explicitHashKey,
    };
    return new Entry(outgoing, { owner: ticket, index, size: sizeOf(outgoing), sinceMs: nowMs, shard });
  }

  #shift(): void {
    this.#from++;
    if (this.#from > 1_024 || this.#from === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#from);
      this.#from = 0;
    }
  }
}

/** How a record is taken in. */
interface Admitted {
  readonly ticket: Ticket;
  readonly index: number;
  readonly gate: Gate;
  readonly route: 'memory' | 'disk';
  readonly shard: HotShard | undefined;
  readonly nowMs: number;
}
