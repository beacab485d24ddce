import { Written } from '../entry.ts';
import { RecordFailure } from '../errors.ts';
import type { RecordResult } from '../transport.ts';
import { UndecodableAnswerError } from './errors.ts';

/** An entry of the answer to PutRecords, before its types are known. */
export interface AnswerEntry {
  readonly ShardId?: unknown;
  readonly SequenceNumber?: unknown;
  readonly ErrorCode?: unknown;
  readonly ErrorMessage?: unknown;
}

/** What was asked for; the answer itself contains neither field. */
export interface Asked {
  readonly region: string;
  /** Records of the batch. */
  readonly count: number;
}

/**
 * The results in the JSON body of a 200 answer.
 *
 * @throws UndecodableAnswerError
 */
export function decodedResults(body: Buffer, asked: Asked): readonly RecordResult[] {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString());
  } catch (cause) {
    // The parser's message quotes the text, which must not be shown.
    throw new UndecodableAnswerError(`The answer of ${body.length} bytes is not JSON.`, { cause });
  }
  const entries = (answer as { readonly Records?: unknown } | null)?.Records;
  return resultsOf(entries, asked);
}

/** The fields of an object in JSON; empty for anything else. */
export function jsonFields(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/**
 * One result per record, in order. Entries match records by index alone, so a wrong number of entries says
 * nothing about any record. Only a shard and a sequence number prove that a record is in the stream.
 *
 * @throws UndecodableAnswerError
 */
export function resultsOf(entries: unknown, { region, count }: Asked): readonly RecordResult[] {
  if (!Array.isArray(entries)) throw new UndecodableAnswerError('The answer has no list of records.');
  if (entries.length !== count) {
    throw new UndecodableAnswerError(`The answer has ${entries.length} entries for ${count} records.`);
  }
  const results = new Array<RecordResult>(count);
  for (let i = 0; i < count; i++) results[i] = resultOf(entries[i], region);
  return results;
}

function resultOf(entry: AnswerEntry | null | undefined, region: string): RecordResult {
  const shardId = entry?.ShardId;
  const sequenceNumber = entry?.SequenceNumber;
  const code = entry?.ErrorCode;
  if (code === undefined || code === null) {
    if (isText(shardId) && isText(sequenceNumber)) return new Written({ region, shardId, sequenceNumber });
  } else if (isText(code)) {
    const message = entry?.ErrorMessage;
    return new RecordFailure(code, isText(message) ? message : code);
  }
  throw new UndecodableAnswerError('An entry of the answer has neither a sequence number nor an error.');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
