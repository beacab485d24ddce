import { TooManyRecordsError } from './errors.ts';
import { type AggregateRecord, aggregateFields, recordFields } from './format.ts';
import { isHashKey } from './keys.ts';
import { ProtobufError, ProtobufReader, wireTypes } from './protobuf.ts';
import { type AggregateTag, readTag, readText } from './tag.ts';

export interface DecodedRecord extends AggregateRecord {
  readonly explicitHashKey?: string;
  /** The format has them; neither the KPL nor the KCL lets anyone write or read them so far. */
  readonly tags?: readonly AggregateTag[];
}

/** The records in the message of an aggregate. @throws ProtobufError, TooManyRecordsError */
export function readMessage(
  message: Uint8Array,
  most: number = Number.POSITIVE_INFINITY,
): readonly DecodedRecord[] {
  const tables: KeyTables = { partitionKeys: [], explicitHashKeys: [] };
  const records: Uint8Array[] = [];
  const reader = new ProtobufReader(message);
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    const { number, wireType } = field;
    // A known field with another wire type counts as unknown, as in every reader of protobuf.
    if (wireType !== wireTypes.bytes) reader.skip(field);
    else if (number === aggregateFields.partitionKeyTable) {
      tables.partitionKeys.push(readText(reader, 'a partition key'));
    } else if (number === aggregateFields.explicitHashKeyTable) {
      const key = readText(reader, 'an explicit hash key');
      if (!isHashKey(key)) throw new ProtobufError('an explicit hash key is not a number of 128 bits');
      tables.explicitHashKeys.push(key);
    } else if (number === aggregateFields.records) {
      if (records.length >= most) throw new TooManyRecordsError(most);
      records.push(reader.readBytes());
    } else reader.skip(field);
  }
  if (records.length === 0) throw new ProtobufError('it has no records');
  // Only now: the tables may come after the records.
  return records.map((record) => readRecord(record, tables));
}

interface KeyTables {
  readonly partitionKeys: string[];
  readonly explicitHashKeys: string[];
}

function readRecord(bytes: Uint8Array, { partitionKeys, explicitHashKeys }: KeyTables): DecodedRecord {
  let partitionKeyIndex: number | undefined;
  let explicitHashKeyIndex: number | undefined;
  let data: Uint8Array | undefined;
  const tags: AggregateTag[] = [];
  const reader = new ProtobufReader(bytes);
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    const { number, wireType } = field;
    const { varint, bytes: lengthFirst } = wireTypes;
    // Of a field that is there twice, the last one counts.
    if (number === recordFields.partitionKeyIndex && wireType === varint)
      partitionKeyIndex = reader.readVarint();
    else if (number === recordFields.explicitHashKeyIndex && wireType === varint)
      explicitHashKeyIndex = reader.readVarint();
    else if (number === recordFields.data && wireType === lengthFirst) data = reader.readBytes();
    else if (number === recordFields.tags && wireType === lengthFirst) tags.push(readTag(reader.readBytes()));
    else reader.skip(field);
  }
  if (partitionKeyIndex === undefined) throw new ProtobufError('a record has no partition key');
  if (data === undefined) throw new ProtobufError('a record has no data');
  return {
    partitionKey: entry(partitionKeys, partitionKeyIndex),
    ...(explicitHashKeyIndex !== undefined && {
      explicitHashKey: entry(explicitHashKeys, explicitHashKeyIndex),
    }),
    data,
    ...(tags.length > 0 && { tags }),
  };
}

function entry(table: readonly string[], index: number): string {
  const key = table[index];
  if (key === undefined) throw new ProtobufError(`a record has key ${index} of ${table.length}`);
  return key;
}
