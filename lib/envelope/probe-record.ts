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

/** Whether these bytes are the data of a marked record. */
export const isProbeData = (bytes: Uint8Array): boolean =>
  bytes.byteLength >= prefixBytes.byteLength && prefixBytes.every((byte, at) => bytes[at] === byte);
