import { NO_KEY } from './record.ts';

interface Keyed {
  readonly partitionKey: string;
  /** Tells records without a key apart. */
  readonly fingerprint?: string;
  readonly data: Uint8Array;
}

/** API Reference, PutRecords: 500 records and 10 MiB a request; a body in base64 and JSON is a third larger. */
const MAX_CHUNK_RECORDS = 500;
const MAX_CHUNK_BYTES = 5 * 1024 * 1024;

/**
 * Splits the records of a page into requests, to be sent one after the other. PutRecords keeps no order
 * within a request, so a chunk has a key at most once, and a key's records are in chunks in their order. Records
 * without a key have no order, and a chunk has only those that can be told apart. The same page always gives the same chunks, because a checkpoint relies on it.
 */
export function chunksOf<Record extends Keyed>(page: readonly Record[]): readonly (readonly Record[])[] {
  const rounds: Record[][] = [];
  const times = new Map<string, number>();
  for (const record of page) {
    const { partitionKey, fingerprint = '' } = record;
    const alone = partitionKey === NO_KEY ? `\0${fingerprint}` : `k${partitionKey}`;
    const round = times.get(alone) ?? 0;
    times.set(alone, round + 1);
    rounds[round] ??= [];
    rounds[round].push(record);
  }
  return rounds.flatMap(bounded);
}

function bounded<Record extends Keyed>(round: readonly Record[]): readonly (readonly Record[])[] {
  const chunks: Record[][] = [];
  let chunk: Record[] = [];
  let bytes = 0;
  for (const record of round) {
    const size = Buffer.byteLength(record.partitionKey) + record.data.byteLength;
    if (chunk.length > 0 && (chunk.length === MAX_CHUNK_RECORDS || bytes + size > MAX_CHUNK_BYTES)) {
      chunks.push(chunk);
      chunk = [];
      bytes = 0;
    }
    chunk.push(record);
    bytes += size;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}
