/**
 * Records that Spillway's observers put into a cell's own streams, where the cell's owner allows it (`probe` of a cell):
 * they show whether that very stream takes records. Consumers recognise them by their partition key, or by the first
 * bytes of their data.
 */
export const PROBE_KEY_PREFIX = 'spillway-probe/';
export const PROBE_DATA_PREFIX = '{"spillwayProbe":1,';

const prefixBytes = new TextEncoder().encode(PROBE_DATA_PREFIX);

export interface ProbeRecordInput {
  /** The observer's region. */
  readonly observer: string;
  readonly atMs: number;
  /** Any number: it spreads the records over the shards of the stream. */
  readonly place: number;
}

export interface ProbeRecordBytes {
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/** A marked record, of less than 100 bytes. */
export function probeRecord({ observer, atMs, place }: ProbeRecordInput): ProbeRecordBytes {
  return {
    partitionKey: `${PROBE_KEY_PREFIX}${observer}/${place}`,
    data: new TextEncoder().encode(
      `${PROBE_DATA_PREFIX}"observer":${JSON.stringify(observer)},"atMs":${atMs}}`,
    ),
  };
}

/**
 * Whether these bytes are the data of a marked record. Decided by the first byte for nearly every other record, because
 * consumers ask this of each one.
 */
export function isProbeData(bytes: Uint8Array): boolean {
  if (bytes.byteLength < prefixBytes.byteLength) return false;
  for (let at = 0; at < prefixBytes.byteLength; at++) if (bytes[at] !== prefixBytes[at]) return false;
  return true;
}

/** What a consumer knows of a record; at least one of the two. `record.kinesis` of a Lambda event fits. */
export interface RecordMarks {
  /** Absent where the stream does not tell it: service-managed distribution. */
  readonly partitionKey?: string | undefined;
  /** Bytes, or their base64, as in a Lambda event. */
  readonly data?: Uint8Array | string | undefined;
}

/** The same, as the AWS SDK returns a record. */
export interface SdkRecordMarks {
  readonly PartitionKey?: string | undefined;
  readonly Data?: Uint8Array | string | undefined;
}

/**
 * Whether a record is a marked one, for consumers without `unwrap` and for copies: whatever is given has to say so. With
 * both given, no record of a user is taken for a marked one because of its key or its first bytes alone.
 *
 * @throws TypeError for a record without key and data, or with data that are neither bytes nor base64: to say `false` would
 * hand a marked record to the application.
 */
export function isProbeRecord(record: RecordMarks | SdkRecordMarks): boolean {
  const { partitionKey, data }: RecordMarks =
    'PartitionKey' in record || 'Data' in record
      ? { partitionKey: record.PartitionKey, data: record.Data }
      : (record as RecordMarks);
  if (partitionKey === undefined && data === undefined)
    throw new TypeError(
      'The record has neither partitionKey nor data. Pass record.kinesis of a Lambda event, or a record of the SDK.',
    );
  if (partitionKey !== undefined && typeof partitionKey !== 'string')
    throw new TypeError(
      `partitionKey is no text but ${typeof partitionKey}. Pass the key of the record as it is.`,
    );
  const dataSay = data === undefined || isProbeData(firstBytes(data));
  return dataSay && (partitionKey === undefined || partitionKey.startsWith(PROBE_KEY_PREFIX));
}

/** Characters of base64 that hold the mark: four for each three bytes. */
const PREFIX_CHARACTERS = 4 * Math.ceil(PROBE_DATA_PREFIX.length / 3);

/** The bytes of the data, or as many of them as the mark needs. */
function firstBytes(data: Uint8Array | string): Uint8Array {
  if (typeof data === 'string') {
    const start = data.slice(0, PREFIX_CHARACTERS);
    if (/^[A-Za-z0-9+/]*={0,2}$/.test(start)) return Buffer.from(start, 'base64');
    throw new TypeError(
      'data is a text that is not base64. Pass the bytes, or the base64 of a Lambda event.',
    );
  }
  // Bytes of another realm, as in some test runners, are no instance of this one's Uint8Array.
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError(
    `data are neither bytes nor a text, but ${data === null ? 'null' : typeof data}. Pass a Uint8Array, or the base64 of a Lambda event.`,
  );
}
