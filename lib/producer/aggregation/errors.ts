import type { WrittenReceipt } from '../entry.ts';

/** A record is in a shard that does not have its key: the stream has service-managed distribution. */
export class KeysIgnoredError extends Error {
  override readonly name = 'KeysIgnoredError';

  constructor({ region, shardId }: Pick<WrittenReceipt, 'region' | 'shardId'>) {
    super(
      `The stream in ${region} put a record into ${shardId}, which does not have its key: it seems to have service-managed ` +
        'distribution, where the KCL drops aggregates. Records are put one by one there; leave `aggregate` out for such a stream.',
    );
  }
}
