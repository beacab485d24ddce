/** What a request asks for, parsed to the last byte as Kinesis must. */
export interface ParsedRequest {
  readonly stream: string;
  readonly records: readonly ParsedRecord[];
  readonly bytes: number;
}

export interface ParsedRecord {
  readonly partitionKey: string;
  readonly explicitHashKey: string | undefined;
  readonly data: Buffer;
}

/** Refused with ValidationException or SerializationException. */
export class RefusedRequest extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

const MAX_RECORDS = 500;
const MAX_RECORD_BYTES = 1024 * 1024;
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
const MAX_KEY_CHARACTERS = 256;
const SHARDS = 8;

/** @throws RefusedRequest. Limits: Kinesis API Reference, PutRecords. */
export function parsePutRecords(body: Buffer): ParsedRequest {
  const { StreamName, Records } = parsedJson(body);
  if (typeof StreamName !== 'string' || StreamName === '') throw invalid('StreamName is missing');
  if (!Array.isArray(Records) || Records.length < 1 || Records.length > MAX_RECORDS) {
    throw invalid('Records has a length between 1 and 500');
  }
  let bytes = 0;
  const records = Records.map((entry: unknown) => {
    const record = parsedRecord(entry as Record<string, unknown> | null);
    bytes += record.data.length + Buffer.byteLength(record.partitionKey);
    return record;
  });
  if (bytes > MAX_REQUEST_BYTES) throw invalid('Records size exceeds 10 MiB');
  return { stream: StreamName, records, bytes };
}

function parsedRecord(entry: Record<string, unknown> | null): ParsedRecord {
  const { PartitionKey: partitionKey, Data, ExplicitHashKey: explicitHashKey } = entry ?? {};
  if (
    typeof partitionKey !== 'string' ||
    partitionKey.length < 1 ||
    partitionKey.length > MAX_KEY_CHARACTERS
  ) {
    throw invalid('PartitionKey has a length between 1 and 256');
  }
  if (typeof Data !== 'string') throw invalid('Data is missing');
  const data = Buffer.from(Data, 'base64');
  const padding = Data.endsWith('==') ? 2 : Data.endsWith('=') ? 1 : 0;
  if (Data.length % 4 !== 0 || data.length !== (Data.length / 4) * 3 - padding) {
    throw new RefusedRequest('SerializationException', 'Data is not base64');
  }
  if (data.length > MAX_RECORD_BYTES) throw invalid('Data has a length of at most 1048576');
  if (explicitHashKey !== undefined && typeof explicitHashKey !== 'string') throw invalid('ExplicitHashKey');
  return { partitionKey, explicitHashKey, data };
}

export interface Failing {
  readonly nth: number;
  readonly code: string;
}

/** Answers for `count` records of the request. `first` numbers them; every `failing.nth` of them fails. */
export function putRecordsAnswer(
  { records }: ParsedRequest,
  { count, first, failing }: { readonly count: number; readonly first: number; readonly failing?: Failing },
): string {
  let failed = 0;
  const entries: string[] = [];
  for (let i = 0; i < count; i++) {
    if (failing !== undefined && i % failing.nth === failing.nth - 1) {
      failed++;
      entries.push(`{"ErrorCode":"${failing.code}","ErrorMessage":"Entry ${i} was refused."}`);
      continue;
    }
    // 56 digits, as Kinesis gives.
    const sequence = `4967124666756722864328343015018708703220${String(first + i).padStart(16, '0')}`;
    const shard = `shardId-${String(shardOf(records[i]?.partitionKey ?? '')).padStart(12, '0')}`;
    entries.push(`{"SequenceNumber":"${sequence}","ShardId":"${shard}"}`);
  }
  return `{"FailedRecordCount":${failed},"Records":[${entries.join(',')}]}`;
}

/** Kinesis takes MD5 of the key. This is cheaper, so that the sink is not what a benchmark measures. */
function shardOf(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) >>> 0;
  return hash % SHARDS;
}

function parsedJson(body: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>;
  } catch {
    throw new RefusedRequest('SerializationException', 'The body is not JSON');
  }
}

function invalid(message: string): RefusedRequest {
  return new RefusedRequest('ValidationException', message);
}
