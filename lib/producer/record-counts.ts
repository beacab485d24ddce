import type { Entry } from './entry.ts';
import type { Lanes } from './lanes.ts';
import { throttles } from './service-codes.ts';

/** What is to be counted of one request. */
export interface CountedRequest {
  readonly batch: readonly Entry[];
  /** Entries that the stream did not take, where it answered. */
  readonly refused: readonly Entry[];
  /** Why the request failed as a whole. */
  readonly failure: unknown;
  /** The entries have failed for good, so nothing waits behind them. */
  readonly isForGood: boolean;
  /** When anything at all got through before this request ended. Monotonic milliseconds. */
  readonly goodAtMs: number;
  readonly nowMs: number;
}

/** Records that count, and why some of them are not in the stream. */
export interface CountedRecords {
  readonly records: number;
  readonly refused: readonly unknown[];
}

/** A record that waits for a region that takes nothing counts once in this time: a slot of the tally. */
const AGAIN_MS = 5_000;
/** Nothing got through for so long: then every record counts again, whatever got through before. The window of the tally. */
const SILENCE_MS = 60_000;

/**
 * Chooses the records of a request that are counted, so that the share of failures is one of records and not of attempts.
 * A record counts when it is first sent, and not when it is tried again: otherwise a few records that fail for good
 * outnumber the many that are taken once each. While nothing at all gets through, that would leave nothing to count, and
 * records that are tried again count once in five seconds: then all of them fail, however often each one counts. A record
 * that waits behind a failed one of its key cannot be written either, and counts although it was never sent.
 */
export class RecordCounts {
  readonly #lanes: Pick<Lanes, 'laneFrom' | 'lengthOf'>;
  #hasFailures = false;

  constructor(lanes: Pick<Lanes, 'laneFrom' | 'lengthOf'>) {
    this.#lanes = lanes;
  }

  of(request: CountedRequest): CountedRecords {
    const { batch, refused, failure } = request;
    if (failure !== undefined) {
      let records = 0;
      for (const entry of batch) records += this.#failures(entry, failure, request);
      return { records, refused: none };
    }
    // In health nothing is looked at record by record.
    if (refused.length === 0 && !this.#hasFailures) return { records: batch.length, refused: none };
    const failed = new Set(refused);
    let taken = 0;
    for (const entry of batch) if (!failed.has(entry) && isCounted(entry, request)) taken++;
    const errors: unknown[] = [];
    for (const entry of refused) {
      const count = this.#failures(entry, entry.lastError, request);
      for (let n = 0; n < count; n++) errors.push(entry.lastError);
    }
    return { records: taken + errors.length, refused: errors };
  }

  /** Another region is asked: what the last one did not take says nothing about it. */
  restart(entries: Iterable<Entry>): void {
    if (!this.#hasFailures) return;
    this.#hasFailures = false;
    for (const entry of entries) entry.countedMs = 0;
  }

  /** How many records fail with this one: itself, and those behind it. */
  #failures(head: Entry, error: unknown, request: CountedRequest): number {
    // A throttled record is no failed one: it still counts when it is taken, or when it fails.
    if (isThrottled(error)) return 1;
    this.#hasFailures = true;
    if (request.isForGood || this.#lanes.lengthOf(head.lane) <= 1) return failedNow(head, request);
    let failures = 0;
    for (const entry of this.#lanes.laneFrom(head)) failures += failedNow(entry, request);
    return failures;
  }
}

type Times = Pick<CountedRequest, 'goodAtMs' | 'nowMs'>;

function isCounted({ countedMs }: Entry, { goodAtMs, nowMs }: Times): boolean {
  return countedMs === 0 || goodAtMs < countedMs || goodAtMs < nowMs - SILENCE_MS;
}

function failedNow(entry: Entry, times: Times): 0 | 1 {
  const { countedMs } = entry;
  const { nowMs } = times;
  if (countedMs > 0 && nowMs - countedMs < AGAIN_MS) return 0;
  if (!isCounted(entry, times)) return 0;
  entry.countedMs = Math.max(1, Math.floor(nowMs));
  return 1;
}

function isThrottled(error: unknown): boolean {
  return error instanceof Error && throttles.has(error.name);
}

const none: readonly unknown[] = [];
