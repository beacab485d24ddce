/** A record as GetRecords and SubscribeToShard of the AWS SDK return it. */
export interface SdkKinesisRecord {
  readonly Data?: Uint8Array | undefined;
  /** Absent for a record that was put without one, which service-managed distribution allows. */
  readonly PartitionKey?: string | undefined;
  readonly SequenceNumber?: string | undefined;
  readonly ApproximateArrivalTimestamp?: Date | undefined;
}

/** `record.kinesis` of each record of a Lambda event. */
export interface LambdaKinesisRecord {
  /** In base64. */
  readonly data: string;
  /** Absent for a record that was put without one, which service-managed distribution allows. */
  readonly partitionKey?: string | undefined;
  readonly sequenceNumber: string;
  /** In seconds since 1970. */
  readonly approximateArrivalTimestamp?: number | undefined;
}

/** A record of Kinesis, whoever gave it. */
export interface WholeRecord {
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  readonly arrivedAtMs: number | undefined;
  readonly bytes: Uint8Array;
}

/**
 * @throws TypeError for anything else: a record that is read in the wrong shape would be an empty one, or text in the place of
 * bytes
 */
export function wholeRecord(record: SdkKinesisRecord | LambdaKinesisRecord): WholeRecord {
  if (typeof record !== 'object' || record === null || !('Data' in record || 'data' in record))
    throw new TypeError(
      'The record has no data. Pass a record of GetRecords, or `record.kinesis` of a Lambda event.',
    );
  if ('Data' in record) {
    return {
      partitionKey: record.PartitionKey ?? '',
      sequenceNumber: record.SequenceNumber ?? '',
      arrivedAtMs: record.ApproximateArrivalTimestamp?.getTime(),
      bytes: bytesOf(record.Data),
    };
  }
  const { data, partitionKey, sequenceNumber, approximateArrivalTimestamp } = record as LambdaKinesisRecord;
  return {
    partitionKey: partitionKey ?? '',
    sequenceNumber: sequenceNumber ?? '',
    arrivedAtMs: approximateArrivalTimestamp === undefined ? undefined : msOf(approximateArrivalTimestamp),
    bytes: bytesOfBase64(data),
  };
}

/** Whether a value of a Lambda event has the fields of a record, each of its kind. Its data may still not be base64. */
export function isRecordShape(value: unknown): value is LambdaKinesisRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { data, partitionKey, sequenceNumber, approximateArrivalTimestamp } =
    value as Partial<LambdaKinesisRecord>;
  return (
    typeof data === 'string' &&
    typeof sequenceNumber === 'string' &&
    /^\d+$/.test(sequenceNumber) &&
    (partitionKey === undefined || typeof partitionKey === 'string') &&
    (approximateArrivalTimestamp === undefined || Number.isFinite(approximateArrivalTimestamp))
  );
}

/** Whole ones: a fraction of a second in binary is off by a bit. */
const msOf = (seconds: number): number => Math.round(seconds * 1_000);

function bytesOf(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  // Bytes of another realm, as in some test runners, are no instance of this one's Uint8Array.
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError(
    `\`Data\` is no Uint8Array but ${typeof data}. Pass the record as GetRecords returns it.`,
  );
}

function bytesOfBase64(data: unknown): Uint8Array {
  if (typeof data !== 'string')
    throw new TypeError(
      `\`data\` is no text but ${typeof data}. Pass \`record.kinesis\` of a Lambda event as it is.`,
    );
  const bytes = Buffer.from(data, 'base64');
  // Node leaves out what is not base64, without a word: then there are fewer bytes than the text stands for.
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  if (bytes.byteLength === (data.length / 4) * 3 - padding) return bytes;
  throw new TypeError(
    '`data` is a text that is not base64. Pass `record.kinesis` of a Lambda event as it is.',
  );
}
