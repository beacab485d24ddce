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

/** What a consumer knows of a record; at least one of the two. */
export interface RecordMarks {
  /** Absent where the stream does not tell it: service-managed distribution. */
  readonly partitionKey?: string | undefined;
  readonly data?: Uint8Array | undefined;
}

/**
 * Whether a record is a marked one, for consumers without `unwrap` and for copies: whatever is given has to say so. With
 * both given, no record of a user is taken for a marked one because of its key or its first bytes alone.
 */
export function isProbeRecord({ partitionKey, data }: RecordMarks): boolean {
  if (partitionKey === undefined && data === undefined) return false;
  const keySays = partitionKey === undefined || partitionKey.startsWith(PROBE_KEY_PREFIX);
  return keySays && (data === undefined || isProbeData(data));
}
