import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  type KinesisClient,
  type ListShardsCommand,
  type Shard,
} from '@aws-sdk/client-kinesis';
import type { StoredRecords } from '../../lambda/core/consumer-facts.ts';
import { MAGIC } from '../aggregate/format.ts';
import { isOpen, listShards, shardIds } from '../aws/shards.ts';
import { streamField } from '../aws/stream-field.ts';
import type { Asker } from './asker.ts';

// What is in a stream, and what lies behind a checkpoint of it: a few calls, which leave a shard's readers their part of
// the five calls a second.

export interface StreamQuestion {
  readonly client: KinesisClient;
  /** Its name, or its ARN. */
  readonly stream: string;
}

type Position = Pick<
  GetShardIteratorCommandInput,
  'ShardIteratorType' | 'StartingSequenceNumber' | 'Timestamp'
>;

/** Kinesis bounds these by shard and by stream, not by account. */
const READS_TIMES_THE_RATE = 10;
/** Empty answers in a row, of a shard that has records farther on. */
const MAX_READS = 5;
const SOME_RECORDS = 1_000;
const MAX_SHARDS = 8;
const PEEKED_SHARDS = 2;
const PEEKED_RECORDS = 20;
const PEEK_BACK_MS = 900_000;
const MAX_SHARD_PAGES = 10;

interface Read {
  readonly records: readonly { readonly atMs?: number; readonly data: Uint8Array }[];
  /** Whether the end of the shard was reached. */
  readonly atEnd: boolean;
}

/**
 * Reads from a position in a shard until there are records, or none are left. `strange`: the position is none of this
 * stream. `gone`: there is no such shard.
 */
async function readFrom(
  asker: Asker,
  { client, stream }: StreamQuestion,
  { ShardId, limit, ...position }: Position & { readonly ShardId: string; readonly limit: number },
): Promise<Read | 'strange' | 'gone' | undefined> {
  const field = streamField(stream);
  const begun = await asker.ask({
    service: 'Kinesis',
    action: 'kinesis:GetShardIterator',
    timesTheRate: READS_TIMES_THE_RATE,
    ask: async (abortSignal) => {
      try {
        const command = new GetShardIteratorCommand({ ...field, ShardId, ...position });
        return (await client.send(command, { abortSignal })).ShardIterator;
      } catch (error) {
        if (error instanceof Error && error.name === 'InvalidArgumentException') return 'strange';
        throw error;
      }
    },
  });
  if (begun === 'missing') return 'gone';
  if (begun === undefined || begun.value === undefined) return undefined;
  if (begun.value === 'strange') return 'strange';
  let iterator: string | undefined = begun.value;
  for (let reads = 0; reads < MAX_READS && iterator !== undefined; reads++) {
    const from: string = iterator;
    const answer = await asker.ask({
      service: 'Kinesis',
      action: 'kinesis:GetRecords',
      timesTheRate: READS_TIMES_THE_RATE,
      ask: (abortSignal) =>
        client.send(new GetRecordsCommand({ ShardIterator: from, Limit: limit }), { abortSignal }),
    });
    if (answer === undefined || answer === 'missing') return undefined;
    const { Records = [], MillisBehindLatest, NextShardIterator } = answer.value;
    const atEnd = MillisBehindLatest === 0 || NextShardIterator === undefined;
    if (Records.length > 0 || atEnd) {
      const records = Records.map(({ ApproximateArrivalTimestamp, Data }) => ({
        ...(ApproximateArrivalTimestamp !== undefined && { atMs: ApproximateArrivalTimestamp.getTime() }),
        data: Data ?? new Uint8Array(),
      }));
      return { records, atEnd: atEnd && Records.length < limit };
    }
    iterator = NextShardIterator;
  }
  return undefined;
}

/** What lies behind a checkpoint: whether records wait, and when the oldest of them arrived. */
export type Waiting = 'strange' | 'gone' | { readonly waits: boolean; readonly sinceMs?: number };

export async function readBehind(
  asker: Asker,
  question: StreamQuestion & {
    readonly shardId: string;
    readonly sequenceNumber?: string;
    /** Without a number: the first record since then. Without both: the oldest record of the shard. */
    readonly sinceMs?: number;
  },
): Promise<Waiting | undefined> {
  const { shardId } = question;
  const read = await readFrom(asker, question, { ShardId: shardId, limit: 1, ...positionOf(question) });
  if (read === undefined || typeof read === 'string') return read;
  const [first] = read.records;
  return { waits: first !== undefined, ...(first?.atMs !== undefined && { sinceMs: first.atMs }) };
}

function positionOf({
  sequenceNumber,
  sinceMs,
}: {
  readonly sequenceNumber?: string;
  readonly sinceMs?: number;
}): Position {
  if (sequenceNumber !== undefined) {
    return { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: sequenceNumber };
  }
  if (sinceMs !== undefined) return { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date(sinceMs) };
  return { ShardIteratorType: 'TRIM_HORIZON' };
}

/** The records that a stream has now, counted as far as one answer of each of some shards holds them. */
export async function readStored(asker: Asker, question: StreamQuestion): Promise<StoredRecords | undefined> {
  const shards = await shardsOf(asker, question);
  if (shards === undefined) return undefined;
  const some = shardIds(shards).slice(0, MAX_SHARDS);
  const reads = await Promise.all(
    some.map((ShardId) =>
      readFrom(asker, question, { ShardId, limit: SOME_RECORDS, ShardIteratorType: 'TRIM_HORIZON' }),
    ),
  );
  const known = reads.filter((read): read is Read => typeof read === 'object');
  if (known.length < reads.length) return undefined;
  const times = known.flatMap(({ records }) => records.flatMap(({ atMs }) => atMs ?? []));
  return {
    records: known.reduce((sum, { records }) => sum + records.length, 0),
    complete: some.length === shards.length && known.every(({ atEnd }) => atEnd),
    ...(times.length > 0 && { oldestAtMs: Math.min(...times) }),
  };
}

/** Whether aggregates are among some records of the last minutes; undefined: there are none, or it is not known. */
export async function carriesAggregates(
  asker: Asker,
  question: StreamQuestion & { readonly nowMs: number },
): Promise<boolean | undefined> {
  const shards = await shardsOf(asker, question);
  const some = shardIds((shards ?? []).filter(isOpen)).slice(0, PEEKED_SHARDS);
  const Timestamp = new Date(question.nowMs - PEEK_BACK_MS);
  const reads = await Promise.all(
    some.map((ShardId) =>
      readFrom(asker, question, {
        ShardId,
        limit: PEEKED_RECORDS,
        ShardIteratorType: 'AT_TIMESTAMP',
        Timestamp,
      }),
    ),
  );
  const records = reads.flatMap((read) => (typeof read === 'object' ? read.records : []));
  if (records.length === 0) return undefined;
  return records.some(({ data }) => MAGIC.every((byte, n) => data[n] === byte));
}

async function shardsOf(asker: Asker, question: StreamQuestion): Promise<readonly Shard[] | undefined> {
  const { client, stream } = question;
  const answer = await asker.ask({
    service: 'Kinesis',
    action: 'kinesis:ListShards',
    timesTheRate: READS_TIMES_THE_RATE,
    ask: (abortSignal) =>
      listShards({
        ...streamField(stream),
        maxAnswers: MAX_SHARD_PAGES,
        ask: (command: ListShardsCommand) => client.send(command, { abortSignal }),
      }),
  });
  return answer === undefined || answer === 'missing' ? undefined : answer.value.shards;
}
