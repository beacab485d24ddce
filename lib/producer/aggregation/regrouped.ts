/** Records that were written to a shard whose KCL consumers drop them, and are sent again. */
export interface Regrouped {
  readonly region: string;
  readonly records: number;
  readonly expectedShardId: string;
  readonly shardId: string;
}
