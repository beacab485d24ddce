import { Written } from '../entry.ts';
import { RecordFailure } from '../errors.ts';
import type { RecordResult } from '../transport.ts';
import { shortText } from './cbor.ts';
import { CborError, CborReader } from './cbor-reader.ts';
import { UndecodableAnswerError } from './errors.ts';
import type { Asked } from './put-records-answer.ts';

const RECORDS = shortText('Records');
const SHARD_ID = shortText('ShardId');
const SEQUENCE_NUMBER = shortText('SequenceNumber');
const ERROR_CODE = shortText('ErrorCode');
const ERROR_MESSAGE = shortText('ErrorMessage');

/** Reads the body of a 200 in CBOR; see `decodedResults`. @throws UndecodableAnswerError */
export function cborResults(body: Buffer, asked: Asked): readonly RecordResult[] {
  try {
    const results = resultsIn(new CborReader(body), { body, asked });
    if (results === undefined) throw new UndecodableAnswerError('The answer has no list of records.');
    return results;
  } catch (cause) {
    if (!(cause instanceof CborError)) throw cause;
    throw new UndecodableAnswerError(`The answer of ${body.length} bytes is not CBOR of PutRecords.`, {
      cause,
    });
  }
}

/** The text fields of a map, which is the form of an error; empty for anything else. */
export function cborTexts(body: Buffer): Readonly<Record<string, unknown>> {
  const texts: Record<string, unknown> = {};
  try {
    const reader = new CborReader(body);
    const map = reader.enterMap();
    while (reader.hasMore(map)) {
      const name = reader.text();
      const value = reader.text();
      if (name !== undefined) texts[name] = value;
    }
    return texts;
  } catch (error) {
    if (error instanceof CborError) return {};
    throw error;
  }
}

interface Source {
  readonly body: Buffer;
  readonly asked: Asked;
}

function resultsIn(reader: CborReader, source: Source): readonly RecordResult[] | undefined {
  let results: readonly RecordResult[] | undefined;
  const answer = reader.enterMap();
  while (reader.hasMore(answer)) {
    // The usual bytes are tried first; a name may also be written with a longer head, or in chunks.
    if (reader.skipIf(RECORDS) || reader.text() === 'Records') results = listOf(reader, source);
    else reader.skip();
  }
  if (!reader.isAtEnd) throw new CborError('It goes on after its end.');
  return results;
}

function listOf(reader: CborReader, { body, asked: { region, count } }: Source): readonly RecordResult[] {
  const results: RecordResult[] = [];
  const texts = new AsciiTexts(body);
  const list = reader.enterArray();
  while (reader.hasMore(list)) {
    if (results.length === count) throw wrongNumber('more', count);
    results.push(resultOf(reader, texts, region));
  }
  if (results.length < count) throw wrongNumber(String(results.length), count);
  return results;
}

function wrongNumber(entries: string, count: number): UndecodableAnswerError {
  return new UndecodableAnswerError(`The answer has ${entries} entries for ${count} records.`);
}

function resultOf(reader: CborReader, texts: AsciiTexts, region: string): RecordResult {
  let shardId = '';
  let sequenceNumber = '';
  let code: string | undefined;
  let message: string | undefined;
  const entry = reader.enterMap();
  while (reader.hasMore(entry)) {
    const name = nameIn(reader);
    if (name === 'SequenceNumber') sequenceNumber = texts.next(reader);
    else if (name === 'ShardId') shardId = texts.next(reader);
    else if (name === 'ErrorCode') code = reader.text();
    else if (name === 'ErrorMessage') message = reader.text();
    else reader.skip();
  }
  if (code !== undefined && code !== '')
    return new RecordFailure(code, message === '' ? code : (message ?? code));
  // Only a shard and a sequence number together prove that the record is in the stream.
  if (code === undefined && shardId !== '' && sequenceNumber !== '')
    return new Written({ region, shardId, sequenceNumber });
  throw new UndecodableAnswerError('An entry of the answer has neither a sequence number nor an error.');
}

/** The name of the next field. Compares the usual bytes of the usual names first, which needs no string. */
function nameIn(reader: CborReader): string | undefined {
  if (reader.skipIf(SEQUENCE_NUMBER)) return 'SequenceNumber';
  if (reader.skipIf(SHARD_ID)) return 'ShardId';
  if (reader.skipIf(ERROR_CODE)) return 'ErrorCode';
  if (reader.skipIf(ERROR_MESSAGE)) return 'ErrorMessage';
  return reader.text();
}

/**
 * Bytes decoded in one call. A call into native code for each short text costs more than all the rest, so one
 * call decodes the texts of some entries.
 */
const WINDOW_BYTES = 1_024;

/** Decodes the texts of an ASCII body. Each text keeps its window in memory, which a few receipts share. */
class AsciiTexts {
  readonly #body: Buffer;
  #window = '';
  #from = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  /** The next item if it is a text; if it is something else, skips it and returns an empty text. */
  next(reader: CborReader): string {
    return reader.readsText() ? this.#at(reader) : (reader.text() ?? '');
  }

  #at({ from, to }: { readonly from: number; readonly to: number }): string {
    if (to > this.#from + this.#window.length) {
      this.#from = from;
      this.#window = this.#body.toString(
        'latin1',
        from,
        Math.max(to, Math.min(from + WINDOW_BYTES, this.#body.length)),
      );
    }
    return this.#window.slice(from - this.#from, to - this.#from);
  }
}
