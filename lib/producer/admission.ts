import { Bag } from './bag.ts';
import { Entry, Ticket } from './entry.ts';
import type { Enveloping } from './enveloping.ts';
import { assertRecord, bytesOf, type OutgoingRecord, type ProducerRecord, sizeOf } from './record.ts';

/** A call of `put` or `putMany` whose records are not all taken in yet. */
interface Waiting {
  readonly ticket: Ticket;
  records: readonly ProducerRecord[];
  next: number;
}

export interface AdmissionOptions {
  readonly maxRecordBytes: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Applied to each record when it is taken in, in the order of the calls. */
  readonly envelope?: Pick<Enveloping, 'bytes' | 'wrap'> | undefined;
}

/**
 * The door: calls are let in in their order, record by record as there is room, so a call that waits is never overtaken
 * by a later one. Records are checked before any of them is taken in.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  #waiting: Waiting[] = [];
  #from = 0;
  /** Calls that have records whose fate is open, even if another one has failed. */
  readonly #open = new Bag<Ticket>();
  #settled: { readonly tickets: Set<Ticket>; readonly resolve: () => void }[] = [];

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get isWaiting(): boolean {
    return this.#from < this.#waiting.length;
  }

  /** @throws RecordError for the first record that every region would refuse; then none of them is taken in. */
  call(records: readonly ProducerRecord[]): Ticket {
    for (const record of records) this.#check(record);
    const ticket = new Ticket(records.length, this.#options.now(), this.#ended);
    if (records.length === 0) return ticket;
    this.#open.add(ticket);
    this.#waiting.push({ ticket, records, next: 0 });
    return ticket;
  }

  /** The next record, taken in now; undefined when nobody waits. One that cannot be read fails its own call only. */
  take(nowMs: number): Entry | undefined {
    for (let call = this.#waiting[this.#from]; call !== undefined; call = this.#waiting[this.#from]) {
      const index = call.next++;
      if (call.next === call.records.length) this.#shift();
      try {
        return this.#entry(call, { index, nowMs });
      } catch (error) {
        call.ticket.fail(error);
      }
    }
    return undefined;
  }

  /** Call before the caller has its turn again: what still waits of the last call must not change with its array. */
  keep(): void {
    const call = this.#waiting.at(-1);
    if (call === undefined) return;
    const { next } = call;
    call.records = call.records.map((record, index) => (index < next ? record : copyOf(record)));
  }

  /** Resolves when the fate of every record put so far is known, good or not. */
  async settled(): Promise<void> {
    const tickets = new Set(this.#open);
    if (tickets.size > 0) await new Promise<void>((resolve) => this.#settled.push({ tickets, resolve }));
  }

  /** Fails calls that were made before this moment and still wait. What was taken in of them goes on. */
  expire(beforeMs: number, error: Error): void {
    for (let call = this.#waiting[this.#from]; call !== undefined && call.ticket.acceptedAtMs < beforeMs; ) {
      call.ticket.failSome(call.records.length - call.next, error);
      this.#shift();
      call = this.#waiting[this.#from];
    }
  }

  /** Fails what has not been taken in. */
  failWaiting(error: Error): void {
    const waiting = this.#waiting.slice(this.#from);
    this.#waiting = [];
    this.#from = 0;
    for (const { ticket, records, next } of waiting) ticket.failSome(records.length - next, error);
  }

  readonly #ended = (ticket: Ticket): void => {
    this.#open.delete(ticket);
    for (const { tickets, resolve } of this.#settled) {
      if (tickets.delete(ticket) && tickets.size === 0) resolve();
    }
    if (this.#settled.length > 0) this.#settled = this.#settled.filter(({ tickets }) => tickets.size > 0);
  };

  #check(record: ProducerRecord): void {
    // A text is measured without being encoded: what waits for room must not be held twice.
    const bytes =
      typeof record.data === 'string' ? Buffer.byteLength(record.data) : bytesOf(record.data).byteLength;
    const { envelope, maxRecordBytes } = this.#options;
    assertRecord(record, bytes + (envelope?.bytes ?? 0), maxRecordBytes);
  }

  #entry(
    { ticket, records }: Waiting,
    { index, nowMs }: { readonly index: number; readonly nowMs: number },
  ): Entry {
    const { envelope } = this.#options;
    const { partitionKey, data, explicitHashKey } = records[index] as ProducerRecord;
    const bytes = bytesOf(data);
    const outgoing: OutgoingRecord = {
      partitionKey,
      data: envelope === undefined ? bytes : envelope.wrap(partitionKey, bytes),
      explicitHashKey,
    };
    return new Entry(outgoing, { owner: ticket, index, size: sizeOf(outgoing), sinceMs: nowMs });
  }

  #shift(): void {
    this.#from++;
    if (this.#from > 1_024 || this.#from === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#from);
      this.#from = 0;
    }
  }
}

/** Of the fields alone: bytes are the caller's to leave alone. */
function copyOf(record: ProducerRecord): ProducerRecord {
  try {
    const { partitionKey, data, explicitHashKey } = record;
    return { partitionKey, data, explicitHashKey };
  } catch {
    // It fails its call when its turn comes.
    return record;
  }
}
