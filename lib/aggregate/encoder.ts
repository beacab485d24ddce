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

/**
 * Makes aggregates, one after the other. Knows at every moment how large the aggregate is, and exactly how large it would be
 * with one more record. Keeps the data given until `finish`: do not change them before.
 *
 * Records are kept in columns, because an object for each record is garbage that a producer of half a million records a
 * second cannot afford.
 */
export class AggregateEncoder {
  readonly #maxBytes: number;
  readonly #partitionKeys = new KeyTable();
  readonly #explicitHashKeys = new KeyTable();
  readonly #data: Uint8Array[] = [];
  readonly #partitionKeyIndexes: number[] = [];
  readonly #explicitHashKeyIndexes: number[] = [];
  /** Bytes of each record's own message, without its tag and length. */
  readonly #messageBytes: number[] = [];
  /** What each record added to the aggregate, keys that were new with it included. */
  readonly #addedBytes: number[] = [];
  #bytes = FRAME_BYTES;

  constructor({ maxBytes }: AggregateEncoderOptions) {
    this.#maxBytes = maxBytes;
  }

  /** Records in the aggregate. */
  get count(): number {
    return this.#data.length;
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
    return this.addChecked(record, this.#maxBytes);
  }

  /** The same for a record whose keys are known to be good, with a limit of its own. */
  addChecked({ partitionKey, explicitHashKey, data }: AggregateRecord, mostBytes: number): boolean {
    const partitionKeys = this.#partitionKeys;
    const known = partitionKeys.find(partitionKey);
    const index = known ?? partitionKeys.size;
    const length = data.byteLength;
    let added = known === undefined ? tableBytes(partitionKey) : 0;
    let message = 2 + varintBytes(index) + varintBytes(length) + length;
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
    if (this.#bytes + added > mostBytes) return false;
    if (known === undefined) partitionKeys.add(partitionKey);
    if (isNewHashKey && explicitHashKey !== undefined) this.#explicitHashKeys.add(explicitHashKey);
    this.#partitionKeyIndexes.push(index);
    this.#explicitHashKeyIndexes.push(hashIndex);
    this.#data.push(data);
    this.#messageBytes.push(message);
    this.#addedBytes.push(added);
    this.#bytes += added;
    return true;
  }

  /** Takes out the record that was added last. @throws AggregateInputError when there are no records */
  removeLast(): void {
    const partitionKey = this.#partitionKeyIndexes.pop();
    if (partitionKey === undefined) throw new AggregateInputError('There is no record to take out.');
    const explicitHashKey = this.#explicitHashKeyIndexes.pop() as number;
    // A key is in the table for the first record that has it: that record comes before all others with the key.
    if (!isStillUsed(this.#partitionKeyIndexes, partitionKey, this.#partitionKeys.size))
      this.#partitionKeys.removeLast();
    if (
      explicitHashKey !== NONE &&
      !isStillUsed(this.#explicitHashKeyIndexes, explicitHashKey, this.#explicitHashKeys.size)
    )
      this.#explicitHashKeys.removeLast();
    this.#data.pop();
    this.#messageBytes.pop();
    this.#bytes -= this.#addedBytes.pop() as number;
  }

  /**
   * The aggregate, in `into` if that is given and long enough; the encoder is empty after it.
   *
   * @throws AggregateInputError when there are no records
   */
  finish(into?: Buffer): Buffer {
    if (this.#data.length === 0)
      throw new AggregateInputError('An aggregate has at least one record: add one before `finish`.');
    const writer = new ProtobufWriter(
      into !== undefined && into.length >= this.#bytes ? into : Buffer.allocUnsafe(this.#bytes),
    );
    writer.raw(MAGIC);
    for (const key of this.#partitionKeys.keys()) writer.text(aggregateFields.partitionKeyTable, key);
    for (const key of this.#explicitHashKeys.keys()) writer.text(aggregateFields.explicitHashKeyTable, key);
    for (let n = 0; n < this.#data.length; n++) {
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
    this.#data.length = 0;
    this.#partitionKeyIndexes.length = 0;
    this.#explicitHashKeyIndexes.length = 0;
    this.#messageBytes.length = 0;
    this.#addedBytes.length = 0;
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

/** Whether the key stays in use: it is not the newest one, or another record has it. */
function isStillUsed(indexes: readonly number[], index: number, size: number): boolean {
  return index < size - 1 || indexes.includes(index);
}
