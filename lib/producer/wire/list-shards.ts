import type { ListShardsInput } from '@aws-sdk/client-kinesis';
import { isHashKey } from '../../aggregate/keys.ts';
import type { ShardRange } from '../aggregation/shard-map.ts';
import type { StreamTarget } from '../stream-target.ts';
import { UndecodableAnswerError } from './errors.ts';

/** A page has at most 1,000 shards (Kinesis API Reference, ListShards), and few streams have more than ten thousand. */
const MOST_PAGES = 50;

/**
 * The open shards of a stream, page by page. `ask` sends one ListShards and returns the fields of its answer.
 *
 * @throws UndecodableAnswerError, and what `ask` throws
 */
export async function listedShards(
  { stream, streamArn }: StreamTarget,
  ask: (input: ListShardsInput) => Promise<Readonly<Record<string, unknown>>>,
): Promise<readonly ShardRange[]> {
  const named = streamArn === undefined ? { StreamName: stream } : { StreamARN: streamArn };
  const shards: ShardRange[] = [];
  let input: ListShardsInput = { ...named, ShardFilter: { Type: 'AT_LATEST' } };
  for (let page = 0; page < MOST_PAGES; page++) {
    const { Shards, NextToken } = await ask(input);
    if (!Array.isArray(Shards)) throw new UndecodableAnswerError('The answer has no list of shards.');
    for (const shard of Shards) if (isOpen(shard)) shards.push(rangeOf(shard));
    if (typeof NextToken !== 'string' || NextToken === '') return shards;
    // A token stands for the stream and the filter, and is refused beside them.
    input = { NextToken };
  }
  throw new UndecodableAnswerError(`The list of shards has more than ${MOST_PAGES} pages.`);
}

interface ListedShard {
  readonly ShardId?: unknown;
  readonly HashKeyRange?: { readonly StartingHashKey?: unknown; readonly EndingHashKey?: unknown } | null;
  readonly SequenceNumberRange?: { readonly EndingSequenceNumber?: unknown } | null;
}

/** Not every emulator knows the filter. */
const isOpen = (shard: ListedShard | null): boolean => !shard?.SequenceNumberRange?.EndingSequenceNumber;

function rangeOf(shard: ListedShard | null): ShardRange {
  const id = shard?.ShardId;
  const first = shard?.HashKeyRange?.StartingHashKey;
  const last = shard?.HashKeyRange?.EndingHashKey;
  if (typeof id === 'string' && isNumber(first) && isNumber(last))
    return { id, first: BigInt(first), last: BigInt(last) };
  throw new UndecodableAnswerError('A shard of the list has no id or no range of hash keys.');
}

const isNumber = (text: unknown): text is string => typeof text === 'string' && isHashKey(text);
