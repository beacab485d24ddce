import { sizeOf } from './record.ts';
import type { OutgoingRecord, RecordResult } from './transport.ts';

/** One record on its way. */
export interface Pending {
  readonly record: OutgoingRecord;
  readonly deadlineMs: number;
  attempts: number;
  /** Part of a request that has no answer yet. */
  inFlight: boolean;
  /** Runs while it waits for its next attempt. */
  retryTimer?: NodeJS.Timeout | undefined;
  lastError?: unknown;
  readonly settle: (outcome: Extract<RecordResult, { ok: true }> & { readonly region: string }) => void;
  readonly fail: (error: Error) => void;
}

/** Kinesis takes 10 MiB in a request; the base64 of the body leaves this for keys and data. */
const MAX_BATCH_BYTES = 5 * 1024 * 1024;

/**
 * A queue per partition key, of which at most the head is in flight: that is what keeps the order of a key, whatever
 * fails and wherever it is sent next. Heads of different keys travel together.
 */
export class KeyQueues {
  readonly #queues = new Map<string, Pending[]>();
  /** Keys whose head may be sent, oldest first. */
  readonly #ready = new Set<string>();
  #records = 0;
  #bytes = 0;

  get records(): number {
    return this.#records;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get ready(): number {
    return this.#ready.size;
  }

  add(pending: Pending): void {
    const { partitionKey } = pending.record;
    const queue = this.#queues.get(partitionKey);
    if (queue === undefined) {
      this.#queues.set(partitionKey, [pending]);
      this.#ready.add(partitionKey);
    } else queue.push(pending);
    this.#records++;
    this.#bytes += sizeOf(pending.record);
  }

  /** Takes the heads of up to `count` ready keys; they stay at the head of their queue. */
  take(count: number): readonly Pending[] {
    const batch: Pending[] = [];
    let bytes = 0;
    for (const key of this.#ready) {
      const head = this.#queues.get(key)?.[0];
      if (head === undefined || batch.length >= count) break;
      bytes += sizeOf(head.record);
      if (batch.length > 0 && bytes > MAX_BATCH_BYTES) break;
      batch.push(head);
      this.#ready.delete(key);
    }
    return batch;
  }

  /** The head may be sent again. */
  retry({ record }: Pending): void {
    if (this.#queues.has(record.partitionKey)) this.#ready.add(record.partitionKey);
  }

  /** This one is done with, one way or the other; if it was the head, the next of its key may be sent. */
  remove(pending: Pending): void {
    const { partitionKey } = pending.record;
    const queue = this.#queues.get(partitionKey) ?? [];
    const place = queue.indexOf(pending);
    if (place === -1) return;
    queue.splice(place, 1);
    this.#records--;
    this.#bytes -= sizeOf(pending.record);
    if (queue.length === 0) {
      this.#queues.delete(partitionKey);
      this.#ready.delete(partitionKey);
    } else if (place === 0) this.#ready.add(partitionKey);
  }

  clear(): void {
    this.#queues.clear();
    this.#ready.clear();
    this.#records = 0;
    this.#bytes = 0;
  }
}
