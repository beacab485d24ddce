import { isHashKey } from '../aggregate/keys.ts';
import { ConsumerConfigError } from './errors.ts';

/** The hash keys of a shard, both included, in decimal: `HashKeyRange` of a shard as ListShards returns it. */
export interface HashKeyRange {
  readonly StartingHashKey: string | undefined;
  readonly EndingHashKey: string | undefined;
}

/** Whether a hash key belongs to the shard. @throws ConsumerConfigError */
export function belongsTo({ StartingHashKey, EndingHashKey }: HashKeyRange): (hashKey: bigint) => boolean {
  const first = numberOf('StartingHashKey', StartingHashKey);
  const last = numberOf('EndingHashKey', EndingHashKey);
  if (first > last)
    throw new ConsumerConfigError(
      '`StartingHashKey` is above `EndingHashKey`: pass the range of ListShards.',
    );
  return (hashKey) => first <= hashKey && hashKey <= last;
}

function numberOf(name: string, text: unknown): bigint {
  if (typeof text === 'string' && isHashKey(text)) return BigInt(text);
  throw new ConsumerConfigError(
    `\`${name}\` is ${JSON.stringify(text)}; pass \`HashKeyRange\` of the shard as ListShards returns it.`,
  );
}
