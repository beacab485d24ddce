import { AggregateInputError } from './errors.ts';
import { type AggregateRecord, aggregateFields, FRAME_BYTES, MAGIC, md5, recordFields } from './format.ts';
import { KeyTable } from './key-table.ts';
import { assertKeys } from './keys.ts';
import { ProtobufWriter, varintBytes } from './protobuf-writer.ts';

export interface AggregateEncoderOptions {
  /** The most bytes of an aggregate, magic and MD5 included. Kinesis counts the record's own key as well. */
  readonly maxBytes: number;
}

interface Added {
  readonly partitionKeyIndex: number;
  readonly explicitHashKeyIndex: number | undefined;
  readonly data: Uint8Array;
  /** Of the record's own message, without its tag and length. */
  readonly bytes: number;
}

/**
 * Makes aggregates, one after the other. Knows at every moment how large the aggregate is, and exactly how large it would be
 * with one more record. Keeps the data given until `finish`: do not change them before.
 */
export class AggregateEncoder {
  readonly #maxBytes: number;
  readonly #partitionKeys = new KeyTable();
  readonly #explicitHashKeys = new KeyTable();
  #records: Added[] = [];
  #bytes = FRAME_BYTES;

  constructor({ maxBytes }: AggregateEncoderOptions) {
    this.#maxBytes = maxBytes;
  }

  /** Records in the aggregate. */
  get count(): number {
    return this.#records.length;
  }

  /** Bytes that `finish` would return now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What `bytes` would be with this record as well, whether it fits or not. */
  bytesWith(record: AggregateRecord): number {
    return this.#plan(record).bytes;
  }

  /**
   * Whether the record is in the aggregate now; false, and nothing changed, when there is no room for it. A record for which
   * there is no room in an empty one has to be put by itself.
   *
   * @throws AggregateInputError for a key that Kinesis would not take
   */
  add(record: AggregateRecord): boolean {
    assertKeys(record);
    const { bytes, added } = this.#plan(record);
    if (bytes > this.#maxBytes) return false;
    this.#partitionKeys.add(record.partitionKey);
    if (record.explicitHashKey !== undefined) this.#explicitHashKeys.add(record.explicitHashKey);
    this.#records.push(added);
    this.#bytes = bytes;
    return true;
  }

  /** The aggregate; the encoder is empty after it. @throws AggregateInputError when there are no records */
  finish(): Uint8Array {
    if (this.#records.length === 0)
      throw new AggregateInputError('An aggregate has at least one record: add one before `finish`.');
    const writer = new ProtobufWriter(this.#bytes);
    writer.raw(MAGIC);
    for (const key of this.#partitionKeys.keys()) writer.text(aggregateFields.partitionKeyTable, key);
    for (const key of this.#explicitHashKeys.keys()) writer.text(aggregateFields.explicitHashKeyTable, key);
    for (const { partitionKeyIndex, explicitHashKeyIndex, data, bytes } of this.#records) {
      writer.beginMessage(aggregateFields.records, bytes);
      writer.number(recordFields.partitionKeyIndex, partitionKeyIndex);
      if (explicitHashKeyIndex !== undefined)
        writer.number(recordFields.explicitHashKeyIndex, explicitHashKeyIndex);
      writer.bytes(recordFields.data, data);
    }
    writer.raw(Buffer.from(md5(writer.written.subarray(MAGIC.length)), 'hex'));
    this.#clear();
    return writer.written;
  }

  /** Each field here has a number below 16, so its tag is one byte. */
  #plan({ partitionKey, explicitHashKey, data }: AggregateRecord): {
    readonly bytes: number;
    readonly added: Added;
  } {
    const partition = this.#partitionKeys.find(partitionKey);
    const explicit = explicitHashKey === undefined ? undefined : this.#explicitHashKeys.find(explicitHashKey);
    const own =
      1 +
      varintBytes(partition.index) +
      (explicit === undefined ? 0 : 1 + varintBytes(explicit.index)) +
      (1 + varintBytes(data.byteLength) + data.byteLength);
    return {
      bytes: this.#bytes + partition.newBytes + (explicit?.newBytes ?? 0) + 1 + varintBytes(own) + own,
      added: { partitionKeyIndex: partition.index, explicitHashKeyIndex: explicit?.index, data, bytes: own },
    };
  }

  #clear(): void {
    this.#partitionKeys.clear();
    this.#explicitHashKeys.clear();
    this.#records = [];
    this.#bytes = FRAME_BYTES;
  }
}
