import { CheckpointError } from './errors.ts';

/**
 * How far a reader has come, in terms that another region understands. Sequence numbers mean nothing in another stream, nor in
 * one that was deleted and made again: they are a hint for the same stream alone.
 */
export interface PortableCheckpoint {
  readonly format: 'spillway-checkpoint';
  readonly version: 1;
  readonly region: string;
  readonly stream: string;
  /** When the last handled record arrived, about, in milliseconds since 1970. */
  readonly arrivedAtMs: number;
  /** Of the last handled record, where it has an envelope: the same in every copy of it. */
  readonly recordId?: string;
  /** The place of the last handled record in its stream. */
  readonly hint?: CheckpointHint;
}

export interface CheckpointHint {
  readonly shardId: string;
  readonly sequenceNumber: string;
  /** Index in the aggregate; 0 for a record of its own. */
  readonly subSequenceNumber: number;
}

/** A record that was handled: what `takeApart` or `recordsOf` returns, with the shard that it was read from. */
export interface HandledRecord {
  readonly arrivedAtMs: number | undefined;
  readonly shardId?: string | undefined;
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
  readonly recordId?: string;
}

export interface StreamPlace {
  readonly region: string;
  readonly stream: string;
}

/**
 * The checkpoint of a reader that has handled these records and all before them in their shards, or undefined for none. Of several shards,
 * it is the one that is least far: keep one for each shard, and make one of all to go to another region.
 *
 * @throws CheckpointError for a record without arrival time, or a field that the format does not hold
 */
export function checkpointOf(
  { region, stream }: StreamPlace,
  handled: Iterable<HandledRecord>,
): PortableCheckpoint | undefined {
  const furthest = new Map<string, HandledRecord>();
  for (const record of handled) {
    const shard = record.shardId ?? '';
    const known = furthest.get(shard);
    if (known === undefined || comesAfter(record, known)) furthest.set(shard, record);
  }
  let earliest: HandledRecord | undefined;
  for (const record of furthest.values())
    if (earliest === undefined || timeOf(record) < timeOf(earliest)) earliest = record;
  if (earliest === undefined) return undefined;
  const { recordId, shardId, sequenceNumber, subSequenceNumber } = earliest;
  return checked({
    format: 'spillway-checkpoint',
    version: 1,
    region,
    stream,
    arrivedAtMs: timeOf(earliest),
    ...(recordId !== undefined && { recordId }),
    ...(shardId !== undefined && { hint: { shardId, sequenceNumber, subSequenceNumber } }),
  });
}

/** One line of JSON, of less than 1,000 characters. @throws CheckpointError */
export const serializeCheckpoint = (checkpoint: PortableCheckpoint): string =>
  JSON.stringify(checked(checkpoint));

const MAX_CHARACTERS = 4_096;

/** @throws CheckpointError for anything that `serializeCheckpoint` has not written */
export function parseCheckpoint(text: string): PortableCheckpoint {
  if (typeof text !== 'string' || text.length > MAX_CHARACTERS)
    throw new CheckpointError(`A checkpoint is a text of at most ${MAX_CHARACTERS} characters. ${ADVICE}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(`The checkpoint is not JSON. ${ADVICE}`, { cause });
  }
  return checked(value);
}

export interface StartOptions extends StreamPlace {
  /** When the stream was created, as DescribeStreamSummary says. With it, the hint is used where it holds. */
  readonly createdAtMs?: number;
  /**
   * How long before the checkpoint to begin. Arrival times are approximate, clocks of regions differ, and a part of the producers had
   * moved before the last record arrived: as long as a move takes from its first producer to its last, at least. Default 300,000.
   */
  readonly marginMs?: number;
}

/** For GetShardIterator, SubscribeToShard, or an event source mapping. */
export type StartPosition =
  /** The place of the last handled record itself, in this shard; for every other shard of the stream, begin by the time. */
  | { readonly type: 'AT_SEQUENCE_NUMBER'; readonly shardId: string; readonly sequenceNumber: string }
  /** In every shard. */
  | { readonly type: 'AT_TIMESTAMP'; readonly timestamp: Date };

const DEFAULT_MARGIN_MS = 300_000;

/**
 * Where to begin to read a stream. Some records come again: `wasHandled` tells those of the same stream, a Deduplicator that has the ids
 * tells the copies in another.
 *
 * @throws CheckpointError for a margin that is no time
 */
export function startPosition(
  checkpoint: PortableCheckpoint,
  { region, stream, createdAtMs, marginMs = DEFAULT_MARGIN_MS }: StartOptions,
): StartPosition {
  if (!(Number.isFinite(marginMs) && marginMs >= 0))
    throw new CheckpointError(`\`marginMs\` is ${marginMs}; write milliseconds from 0.`);
  const { hint, arrivedAtMs } = checkpoint;
  const sameStream =
    isIn(checkpoint, { region, stream }) && createdAtMs !== undefined && createdAtMs <= arrivedAtMs;
  if (sameStream && hint !== undefined)
    return { type: 'AT_SEQUENCE_NUMBER', shardId: hint.shardId, sequenceNumber: hint.sequenceNumber };
  return { type: 'AT_TIMESTAMP', timestamp: new Date(Math.max(0, Math.floor(arrivedAtMs - marginMs))) };
}

/**
 * Whether the checkpoint alone says that a record was handled: it is the last handled one or a copy of it, or comes before it in the
 * same shard. False says nothing.
 */
export function wasHandled(checkpoint: PortableCheckpoint, record: HandledRecord & StreamPlace): boolean {
  const { hint, recordId, arrivedAtMs } = checkpoint;
  if (recordId !== undefined && record.recordId === recordId) return true;
  if (hint === undefined || !isIn(checkpoint, record) || record.shardId !== hint.shardId) return false;
  // A stream that was made again has shards of the same names: its records are younger.
  return record.arrivedAtMs !== undefined && record.arrivedAtMs <= arrivedAtMs && !comesAfter(record, hint);
}

const isIn = (checkpoint: PortableCheckpoint, { region, stream }: StreamPlace): boolean =>
  checkpoint.region === region && checkpoint.stream === stream;

type InShard = Pick<HandledRecord, 'sequenceNumber' | 'subSequenceNumber'>;

function comesAfter(one: InShard, other: InShard): boolean {
  const [a, b] = [numberOf(one), numberOf(other)];
  return a === b ? one.subSequenceNumber > other.subSequenceNumber : a > b;
}

function numberOf({ sequenceNumber }: InShard): bigint {
  if (isNumber(sequenceNumber)) return BigInt(sequenceNumber);
  throw new CheckpointError(
    `\`sequenceNumber\` is ${JSON.stringify(sequenceNumber)}; pass records as \`takeApart\` or \`recordsOf\` returns them.`,
  );
}

function timeOf({ arrivedAtMs }: HandledRecord): number {
  if (arrivedAtMs !== undefined) return arrivedAtMs;
  throw new CheckpointError(
    'A record has no arrival time, without which another region cannot be read: pass records as GetRecords or Lambda gives them.',
  );
}

const ADVICE = 'Pass what `serializeCheckpoint` has written, or begin at a time of your own.';

const matches =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && pattern.test(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber = matches(/^\d{1,129}$/);
const isName = matches(/^[A-Za-z0-9_.-]{1,128}$/);

type Fields = Readonly<Record<string, (value: unknown) => boolean>>;
const hintFields: Fields = { shardId: isName, sequenceNumber: isNumber, subSequenceNumber: isCount };
const fields: Fields = {
  format: (value) => value === 'spillway-checkpoint',
  version: (value) => value === 1,
  region: matches(/^[a-z0-9-]{1,64}$/),
  stream: isName,
  arrivedAtMs: isCount,
  recordId: matches(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  hint: (value) => wrongField(value, hintFields) === undefined,
};
const optional: ReadonlySet<string> = new Set(['recordId', 'hint']);

/** The name of a field that is missing, unknown, or holds what it may not; empty for what is no object. */
function wrongField(value: unknown, known: Fields): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return '';
  const found = value as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(found).find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined) return unknown;
  return Object.keys(known).find((name) =>
    Object.hasOwn(found, name) ? known[name]?.(found[name]) !== true : !optional.has(name),
  );
}

function checked(value: unknown): PortableCheckpoint {
  const wrong = wrongField(value, fields);
  if (wrong === undefined) return value as PortableCheckpoint;
  if (wrong === 'version')
    throw new CheckpointError(
      'The checkpoint is of another version of the format: update spillway/consumer.',
    );
  throw new CheckpointError(
    wrong === ''
      ? `That is no checkpoint. ${ADVICE}`
      : `\`${wrong}\` of the checkpoint is missing or wrong. ${ADVICE}`,
  );
}
