import { setTimeout as sleep } from 'node:timers/promises';
import type { Intent, Tips } from './checkpoint.ts';
import { DrainError } from './errors.ts';
import { entryFailureOf, failureOf, keyAdvice } from './failure.ts';
import type { DrainLimits } from './limits.ts';
import { findInTarget } from './read-back.ts';
import { unknownIn } from './recognise.ts';
import type { CopiedRecord } from './record.ts';
import { type DrainStream, pauseMs, type StreamFacts } from './stream.ts';

export interface TargetOptions {
  readonly stream: DrainStream;
  readonly facts: StreamFacts;
  /** Belongs to the checkpoint; advanced here. */
  readonly tips: Tips;
  /** Records that are in the target from before a stream was created again. Default: none. */
  readonly known?: ReadonlySet<string>;
  readonly limits: DrainLimits;
  readonly signal: AbortSignal;
}

export interface ChunkWrite {
  readonly chunk: readonly CopiedRecord[];
  /** The intent of an earlier run, whose outcome is unknown. */
  readonly earlier: Intent | undefined;
  /** Resolves when the intent is durable; nothing may be sent before. */
  readonly intend: (intent: Intent) => Promise<void>;
}

export interface ChunkResult {
  readonly copied: number;
  readonly alreadyThere: number;
}

interface Attempt {
  readonly copied: number;
  readonly refused: readonly CopiedRecord[];
  readonly unsure: readonly CopiedRecord[];
  readonly error: unknown;
}

/** Writes chunks to the target stream, each record once as far as the target can tell. */
export class DrainTarget {
  readonly #options: TargetOptions;

  constructor(options: TargetOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every record of the chunk is in the target. Before the first attempt an intent is made
   * durable. Whenever the outcome of an attempt is unknown, in this run or in one that was killed, the target
   * is read from the place in that intent, and only missing records are sent again.
   *
   * @throws DrainError
   */
  async write({ chunk, earlier, intend }: ChunkWrite): Promise<ChunkResult> {
    const { limits, signal } = this.#options;
    let pending = unknownIn(chunk, this.#options.known ?? new Set());
    const result = { copied: 0, alreadyThere: chunk.length - pending.length };
    let intent = earlier;
    const look = async (unsure: readonly CopiedRecord[], since: Intent): Promise<readonly CopiedRecord[]> => {
      const missing = await this.#missing(unsure, since);
      result.alreadyThere += unsure.length - missing.length;
      return missing;
    };
    if (intent !== undefined && pending.length > 0) pending = await look(pending, intent);
    for (let failures = 0; pending.length > 0; ) {
      signal.throwIfAborted();
      if (intent === undefined || Date.now() + limits.requestTimeoutMs > intent.untilMs) {
        intent = this.#intent(intent);
        await intend(intent);
      }
      const attempt = await this.#attempt(pending);
      result.copied += attempt.copied;
      const before = pending.length;
      pending = [...attempt.refused];
      if (attempt.unsure.length > 0) pending = [...pending, ...(await look(attempt.unsure, intent))];
      if (pending.length === 0) break;
      failures = pending.length < before ? 1 : failures + 1;
      if (failures >= limits.maxAttempts) throw giveUp(this.#options.stream.name, failures, attempt.error);
      await sleep(pauseMs(limits, failures), undefined, { signal });
    }
    return result;
  }

  /** Keeps where the first attempt of the chunk began, so that one read covers all attempts. */
  #intent(before: Intent | undefined): Intent {
    const { tips, limits } = this.#options;
    const nowMs = Date.now();
    const untilMs = nowMs + limits.requestTimeoutMs + limits.intentMs;
    return before === undefined ? { fromMs: nowMs, untilMs, tips: { ...tips } } : { ...before, untilMs };
  }

  async #missing(unsure: readonly CopiedRecord[], intent: Intent): Promise<readonly CopiedRecord[]> {
    const { stream: target, facts, limits, signal } = this.#options;
    await sleep(limits.settleMs, undefined, { signal });
    const found = await findInTarget({ target, facts, intent, records: unsure, limits, signal });
    for (const { shardId, sequenceNumber } of found) this.#advance(shardId, sequenceNumber);
    const there = new Set(found.map(({ record }) => record));
    return unsure.filter((record) => !there.has(record));
  }

  async #attempt(records: readonly CopiedRecord[]): Promise<Attempt> {
    let answer: Awaited<ReturnType<DrainStream['put']>>;
    try {
      answer = await this.#options.stream.put(records);
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'fatal') throw giveUp(this.#options.stream.name, 1, error);
      const refused = failure === 'refused';
      return { copied: 0, refused: refused ? records : [], unsure: refused ? [] : records, error };
    }
    const refused: CopiedRecord[] = [];
    const unsure: CopiedRecord[] = [];
    let copied = 0;
    let error: unknown;
    for (const [index, record] of records.entries()) {
      const entry = answer.Records?.[index];
      if (entry?.ShardId !== undefined && entry.SequenceNumber !== undefined) {
        this.#advance(entry.ShardId, entry.SequenceNumber);
        copied++;
        continue;
      }
      error = new Error(`${entry?.ErrorCode ?? 'no answer for the record'}: ${entry?.ErrorMessage ?? ''}`);
      if (entryFailureOf(entry?.ErrorCode) === 'refused') refused.push(record);
      else unsure.push(record);
    }
    return { copied, refused, unsure, error };
  }

  #advance(shardId: string, sequenceNumber: string): void {
    const { tips } = this.#options;
    const tip = tips[shardId];
    if (tip === undefined || BigInt(sequenceNumber) > BigInt(tip)) tips[shardId] = sequenceNumber;
  }
}

function giveUp(stream: string, attempts: number, cause: unknown): DrainError {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new DrainError(
    `${stream} did not take records (${attempts} attempts): ${reason}.${keyAdvice(cause, 'write')} Fix the cause, and run the same command again.`,
    { cause },
  );
}
