import {
  ListShardsCommand,
  type ListShardsCommandInput,
  type ListShardsCommandOutput,
  type Shard,
} from '@aws-sdk/client-kinesis';
import { readPages } from './pages.ts';

export interface ShardListing
  extends Pick<ListShardsCommandInput, 'StreamName' | 'StreamARN' | 'ShardFilter'> {
  /** An answer has up to 1,000 shards, unless another number is asked for. */
  readonly maxAnswers: number;
  /** Sends one of the calls, with its own time-out and attempts. */
  readonly ask: (command: ListShardsCommand) => Promise<ListShardsCommandOutput>;
}

export interface ListedShards {
  /** Closed ones as well, unless the filter leaves them out. */
  readonly shards: readonly Shard[];
  /** False: there are more shards than `maxAnswers` answers hold. */
  readonly complete: boolean;
}

/** Lists the shards of a stream, over all pages. @throws what `ask` throws */
export async function listShards({ maxAnswers, ask, ...of }: ShardListing): Promise<ListedShards> {
  const { items, complete } = await readPages<Shard, string>({
    maxPages: maxAnswers,
    ask: async (token) => {
      // A token stands for stream and filter, and Kinesis takes neither beside it.
      const answer = await ask(new ListShardsCommand(token === undefined ? of : { NextToken: token }));
      return { items: answer.Shards ?? [], next: answer.NextToken };
    },
  });
  return { shards: items, complete };
}

/**
 * Whether a shard is open. A shard that was split or merged is closed: it keeps its records until they
 * expire, and takes no new ones.
 */
export const isOpen = ({ SequenceNumberRange }: Shard): boolean =>
  SequenceNumberRange?.EndingSequenceNumber === undefined;

/** The ids of the shards that have one. */
export const shardIds = (
  shards: readonly { readonly ShardId?: string | undefined }[] = [],
): readonly string[] => shards.flatMap(({ ShardId }) => ShardId ?? []);
