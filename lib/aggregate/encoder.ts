import { AggregateInputError } from './errors.ts';
import {
  type AggregateRecord,
  aggregateFields,
  DIGEST_BYTES,
  FRAME_BYTES,
  MAGIC,
  md5Bytes,
  recordFields,
} from './format.ts';
import { KeyTable, tableBytes } from './key-table.ts';
import { assertKeys } from './keys.ts';
import { ProtobufWriter, varintBytes } from './protobuf-writer.ts';

export interface AggregateEncoderOptions {
  /** The most bytes of an aggregate, magic and MD5 included. Kinesis counts the record's own key as well. */
  readonly maxBytes: number;
}

/** In the column of explicit hash keys: the record has none. */
const NONE = -1;
const nothing = new Uint8Array(0);

/**
 * Makes aggregates, one after the other. Knows at every moment how large the aggregate is, and exactly how large it would be
 * with one more record. Keeps the data given until `finish`: do not change them before.
 *
 * Records are kept in columns, which keep their room from one aggregate to the next: an object for each record is garbage that a
 * producer of half a million records a second cannot afford.
 */
export class AggregateEncoder {
  /** The most bytes of the aggregate; may be changed between records. */
  maxBytes: number;
  readonly #partitionKeys = new KeyTable();
  readonly #explicitHashKeys = new KeyTable();
  #count = 0;
  readonly #data: Uint8Array[] = [];
  readonly #partitionKeyIndexes: number[] = [];
  readonly #explicitHashKeyIndexes: number[] = [];
  /** Bytes of each record's own message, without its tag and length. */
  readonly #messageBytes: number[] = [];
  /** What each record added to the aggregate, keys that were new with it included. */
  readonly #addedBytes: number[] = [];
  #bytes = FRAME_BYTES;

  constructor({ maxBytes }: AggregateEncoderOptions) {
    this.maxBytes = maxBytes;
  }

  /** Records in the aggregate. */
  get count(): number {
    return this.#count;
  }

  /** Bytes that `finish` would return now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What `bytes` would be with this record as well, whether it fits or not. */
  bytesWith(record: AggregateRecord): number {
    const message = this.#messageBytesOf(record);
    return this.#bytes + this.#keyBytesOf(record) + 1 + varintBytes(message) + message;
  }

  /**
   * Whether the record is in the aggregate now; false, and nothing changed, when there is no room for it. A record for which
   * there is no room in an empty one has to be put by itself.
   *
   * @throws AggregateInputError for a key that Kinesis would not take
   */
  add(record: AggregateRecord): boolean {
    assertKeys(record);
    return this.addAt(record, this.find(record.partitionKey));
  }

  /**
   * The same for a record whose keys are known to be good, and for a caller who knows where its partition key is in the
   * aggregate: `index`, or undefined for a key that is new. A key that is there twice does no harm.
   */
  addAt({ partitionKey, explicitHashKey, data }: AggregateRecord, index: number | undefined): boolean {
    const keyIndex = index ?? this.#partitionKeys.size;
    const length = data.byteLength;
    let added = index === undefined ? tableBytes(partitionKey) : 0;
    let message = 2 + varintBytes(keyIndex) + varintBytes(length) + length;
    let hashIndex = NONE;
    let isNewHashKey = false;
    if (explicitHashKey !== undefined) {
      const found = this.#explicitHashKeys.find(explicitHashKey);
      isNewHashKey = found === undefined;
      hashIndex = found ?? this.#explicitHashKeys.size;
      if (isNewHashKey) added += tableBytes(explicitHashKey);
      message += 1 + varintBytes(hashIndex);
    }
    added += 1 + varintBytes(message) + message;
    if (this.#bytes + added > this.maxBytes) return false;
    if (index === undefined) this.#partitionKeys.add(partitionKey);
    if (isNewHashKey && explicitHashKey !== undefined) this.#explicitHashKeys.add(explicitHashKey);
    const at = this.#count++;
    this.#partitionKeyIndexes[at] = keyIndex;
    this.#explicitHashKeyIndexes[at] = hashIndex;
    this.#data[at] = data;
    this.#messageBytes[at] = message;
    this.#addedBytes[at] = added;
    this.#bytes += added;
    return true;
  }

  /** Where a partition key is in the aggregate; undefined if it is not there. */
  find(partitionKey: string): number | undefined {
    return this.#partitionKeys.find(partitionKey);
  }

  /** Where `addAt` put the key of the record that came last. */
  get lastKeyIndex(): number {
    return this.#partitionKeyIndexes[this.#count - 1] ?? NONE;
  }

  /** Takes out the record that was added last. @throws AggregateInputError when there are no records */
  removeLast(): void {
    if (this.#count === 0) throw new AggregateInputError('There is no record to take out.');
    const at = --this.#count;
    this.#removeKey(this.#partitionKeys, this.#partitionKeyIndexes);
    this.#removeKey(this.#explicitHashKeys, this.#explicitHashKeyIndexes);
    this.#data[at] = nothing;
    this.#bytes -= this.#addedBytes[at] as number;
  }

  /** A key is in the table for the first record that has it, which comes before all others with the key. */
  #removeKey(table: KeyTable, indexes: readonly number[]): void {
    const index = indexes[this.#count] as number;
    if (index === NONE || index < table.size - 1) return;
    for (let n = 0; n < this.#count; n++) if (indexes[n] === index) return;
    table.removeLast();
  }

  /**
   * The aggregate, in `into` if that is given and long enough; the encoder is empty after it.
   *
   * @throws AggregateInputError when there are no records
   */
  finish(into?: Buffer): Buffer {
    if (this.#count === 0)
      throw new AggregateInputError('An aggregate has at least one record: add one before `finish`.');
    const writer = new ProtobufWriter(
      into !== undefined && into.length >= this.#bytes ? into : Buffer.allocUnsafe(this.#bytes),
    );
    writer.raw(MAGIC);
    writeKeys(writer, { table: this.#partitionKeys, field: aggregateFields.partitionKeyTable });
    writeKeys(writer, { table: this.#explicitHashKeys, field: aggregateFields.explicitHashKeyTable });
    for (let n = 0; n < this.#count; n++) {
      writer.beginMessage(aggregateFields.records, this.#messageBytes[n] as number);
      writer.number(recordFields.partitionKeyIndex, this.#partitionKeyIndexes[n] as number);
      const explicitHashKey = this.#explicitHashKeyIndexes[n] as number;
      if (explicitHashKey !== NONE) writer.number(recordFields.explicitHashKeyIndex, explicitHashKey);
      writer.bytes(recordFields.data, this.#data[n] as Uint8Array);
    }
    const whole = this.#bytes;
    this.clear();
    writer.raw(md5Bytes(writer.written.subarray(MAGIC.length)));
    const { written } = writer;
    // Data that was detached or resized has other bytes than were counted: no such aggregate may leave.
    if (written.length !== whole)
      throw new AggregateInputError(
        `The aggregate has ${written.length - DIGEST_BYTES} bytes where ${whole - DIGEST_BYTES} were counted: data were changed before \`finish\`.`,
      );
    return written;
  }

  /** Forgets the records. */
  clear(): void {
    this.#partitionKeys.clear();
    this.#explicitHashKeys.clear();
    // Data that are kept would be kept alive.
    this.#data.fill(nothing, 0, this.#count);
    this.#count = 0;
    this.#bytes = FRAME_BYTES;
  }

  /** Each field here has a number below 16, so its tag is one byte. */
  #messageBytesOf({ partitionKey, explicitHashKey, data }: AggregateRecord): number {
    const length = data.byteLength;
    const bytes = 2 + varintBytes(indexIn(this.#partitionKeys, partitionKey)) + varintBytes(length) + length;
    if (explicitHashKey === undefined) return bytes;
    return bytes + 1 + varintBytes(indexIn(this.#explicitHashKeys, explicitHashKey));
  }

  #keyBytesOf({ partitionKey, explicitHashKey }: AggregateRecord): number {
    let bytes = this.#partitionKeys.find(partitionKey) === undefined ? tableBytes(partitionKey) : 0;
    if (explicitHashKey !== undefined && this.#explicitHashKeys.find(explicitHashKey) === undefined)
      bytes += tableBytes(explicitHashKey);
    return bytes;
  }
}

const indexIn = (table: KeyTable, key: string): number => table.find(key) ?? table.size;

function writeKeys(
  writer: ProtobufWriter,
  { table, field }: { readonly table: KeyTable; readonly field: number },
): void {
  for (let n = 0; n < table.size; n++) writer.text(field, table.at(n));
}
