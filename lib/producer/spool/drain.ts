import { setTimeout as sleep } from 'node:timers/promises';
import { RecordFailure } from '../errors.ts';
import { refusals } from '../service-codes.ts';
import type { Transport } from '../transport.ts';
import { SpoolError } from './errors.ts';
import type { Spool, SpooledRecord } from './spool.ts';

export interface DrainOptions {
  readonly spool: Spool;
  readonly transport: Transport;
  readonly region: string;
  readonly stream: string;
  /** Ends the drain after the current request; records sent by then are acknowledged. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DrainProgress) => void;
  /** First and longest pause after a failure; drawn with full jitter. Default 100 and 5,000. */
  readonly retryBaseMs?: number;
  readonly retryMaxMs?: number;
}

export interface DrainProgress {
  /** Records that were sent and acknowledged in the spool. */
  readonly sent: number;
  /** Records that were refused for good, and are kept in `refused/`. */
  readonly refused: number;
  readonly left: number;
}

/**
 * The stream took nothing for too long, or would never take anything. What was sent is acknowledged: call
 * again to go on.
 */
export class SpoolDrainError extends SpoolError {
  override readonly name = 'SpoolDrainError';
}

/** PutRecords takes up to 500 records and 10 MiB (API Reference); base64 leaves this much for the records. */
const BATCH_RECORDS = 500;
const BATCH_BYTES = 5 * 1024 * 1024;
const CHUNK_RECORDS = 2_000;
const CHUNK_BYTES = 16 * 1024 * 1024;
/** Most requests in a row in which not one record was taken. */
const MAX_FAILURES = 10;
/** With more refusals than this and none taken in between, the records are not the cause. */
const MAX_REFUSED_IN_A_ROW = 10;
const DEFAULT_RETRY_BASE_MS = 100;
const DEFAULT_RETRY_MAX_MS = 5_000;

/**
 * Errors after which another attempt would fail in the same way (Kinesis API Reference, PutRecords and Common
 * Errors).
 */
const hopeless = new Set([
  'ResourceNotFoundException',
  'AccessDeniedException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'CredentialsProviderError',
]);

/**
 * Sends all records of a spool to one stream, in order per key. PutRecords does not keep the order within a
 * request, so a request has at most one record of a key, and the next one waits for the answer. At least
 * once: records sent after the first failure of a chunk may be sent again. A record that the stream refuses
 * for good is kept in `refused/`, and the others go on.
 *
 * @throws SpoolDrainError, SpoolWriteError, SpoolReadError
 */
export async function drainSpool(options: DrainOptions): Promise<DrainProgress> {
  const { spool, signal, onProgress } = options;
  let sent = 0;
  let refused = 0;
  while (signal?.aborted !== true) {
    const records = await spool.read({ records: CHUNK_RECORDS, bytes: CHUNK_BYTES });
    if (records.length === 0) break;
    const chunk = new Chunk(records);
    try {
      await sendChunk(chunk, options);
    } finally {
      const acknowledged = chunk.sentBeforeFirstGap();
      const last = records[acknowledged - 1];
      if (last !== undefined) await spool.acknowledge(last.position);
      if (acknowledged < records.length) spool.rewind();
      const refusedNow = chunk.refusedBefore(acknowledged);
      refused += refusedNow;
      sent += acknowledged - refusedNow;
      onProgress?.({ sent, refused, left: spool.stats().records });
    }
  }
  return { sent, refused, left: spool.stats().records };
}

/** The records of one read. Only the oldest record of each key may be sent. */
class Chunk {
  readonly records: readonly SpooledRecord[];
  readonly #sent: boolean[];
  readonly #refused: number[] = [];
  /** Indexes of the remaining records of each key, in order. */
  readonly #queues = new Map<string, number[]>();

  constructor(records: readonly SpooledRecord[]) {
    this.records = records;
    this.#sent = records.map(() => false);
    for (const [index, { partitionKey }] of records.entries()) {
      const queue = this.#queues.get(partitionKey);
      if (queue === undefined) this.#queues.set(partitionKey, [index]);
      else queue.push(index);
    }
  }

  /** Indexes of the next request, at most `most` of them; empty at the end. */
  batch(most: number): readonly number[] {
    const batch: number[] = [];
    let bytes = 0;
    for (const [head] of this.#queues.values()) {
      const record = head === undefined ? undefined : this.records[head];
      if (head === undefined || record === undefined) continue;
      bytes += Buffer.byteLength(record.partitionKey) + record.data.byteLength;
      if (batch.length === most || (batch.length > 0 && bytes > BATCH_BYTES)) break;
      batch.push(head);
    }
    return batch;
  }

  done(index: number): void {
    this.#sent[index] = true;
    const key = this.records[index]?.partitionKey ?? '';
    const queue = this.#queues.get(key);
    queue?.shift();
    // Moves the key to the end, so that a few keys with many records do not block the others.
    this.#queues.delete(key);
    if (queue !== undefined && queue.length > 0) this.#queues.set(key, queue);
  }

  refused(index: number): void {
    this.#refused.push(index);
    this.done(index);
  }

  refusedBefore(end: number): number {
    return this.#refused.filter((index) => index < end).length;
  }

  sentBeforeFirstGap(): number {
    const gap = this.#sent.indexOf(false);
    return gap === -1 ? this.#sent.length : gap;
  }
}

async function sendChunk(chunk: Chunk, options: DrainOptions): Promise<void> {
  const { signal, retryBaseMs = DEFAULT_RETRY_BASE_MS, retryMaxMs = DEFAULT_RETRY_MAX_MS } = options;
  let failures = 0;
  let refusedInARow = 0;
  let most = BATCH_RECORDS;
  while (signal?.aborted !== true) {
    const batch = chunk.batch(most);
    if (batch.length === 0) return;
    const { taken, error } = await sendBatch(chunk, batch, options);
    if (taken > 0) refusedInARow = 0;
    if (error === undefined) {
      failures = 0;
      most = Math.min(2 * most, BATCH_RECORDS);
      continue;
    }
    const [only] = batch;
    const isRefused = error instanceof Error && refusals.has(error.name);
    if (isRefused && batch.length > 1) {
      most = Math.ceil(batch.length / 2);
      continue;
    }
    if (isRefused && only !== undefined && refusedInARow < MAX_REFUSED_IN_A_ROW) {
      refusedInARow++;
      await options.spool.refuse(chunk.records[only] as SpooledRecord, error);
      chunk.refused(only);
      continue;
    }
    failures = taken > 0 ? 1 : failures + 1;
    const name = error instanceof Error ? error.name : 'unknown error';
    if (isRefused || hopeless.has(name) || failures === MAX_FAILURES) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new SpoolDrainError(
        `${options.stream} in ${options.region} does not take the records (${name}: ${reason}). What it took is acknowledged; call again to go on.`,
        { cause: error },
      );
    }
    // Full jitter ("Exponential Backoff and Jitter", AWS Architecture Blog).
    const pauseMs = Math.random() * Math.min(retryMaxMs, retryBaseMs * 2 ** failures);
    await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}

/** Sends a batch once. `error`: of the request, or of a record that was not taken. */
async function sendBatch(
  chunk: Chunk,
  batch: readonly number[],
  { transport, region, stream }: DrainOptions,
): Promise<{ readonly taken: number; readonly error: unknown }> {
  try {
    const records = batch.map((index) => chunk.records[index] as SpooledRecord);
    const results = await transport.send({ region, stream, records });
    let taken = 0;
    let error: unknown;
    for (const [at, index] of batch.entries()) {
      const result = results[at];
      if (result !== undefined && !(result instanceof RecordFailure)) {
        chunk.done(index);
        taken++;
      } else error ??= result ?? new Error('no result');
    }
    return { taken, error };
  } catch (error) {
    return { taken: 0, error };
  }
}
