import { parseStreamArn } from '../../lambda/core/stream-arn.ts';
import { DrainUsageError } from './errors.ts';

export interface StreamPlace {
  readonly region: string;
  /** Its name, or its ARN where it is in another account. */
  readonly stream: string;
}

/** What is copied where. Two runs with the same plan are one drain. */
export interface DrainPlan {
  readonly from: StreamPlace;
  readonly to: StreamPlace;
  /** Records that arrived from here on, in milliseconds since 1970, by Kinesis's own (approximate) arrival time. */
  readonly fromMs: number;
  /** Records that arrived before this. */
  readonly toMs: number;
  /** Give records without an envelope one, with an id that follows from their place in the source. */
  readonly envelope: boolean;
  /** Copy KPL aggregates as they are, although the KCL may drop them in a stream with other shards. */
  readonly allowAggregated: boolean;
}

/** @throws DrainUsageError */
export function checkPlan(plan: DrainPlan, nowMs: number): void {
  const { from, to, fromMs, toMs } = plan;
  for (const { region, stream } of [from, to]) {
    const found = parseStreamArn(stream)?.region;
    if (found !== undefined && found !== region)
      throw new DrainUsageError(`${stream} is in ${found}, not in ${region}: correct the region or the ARN.`);
  }
  if (from.region === to.region && from.stream === to.stream)
    throw new DrainUsageError(
      'Source and target are the same stream: choose another `--to-region` or `--to-stream`.',
    );
  if (plan.envelope && plan.allowAggregated)
    throw new DrainUsageError(
      'No consumer looks for an aggregate in an envelope: leave out `--allow-aggregated`, so that each record in it gets an envelope of its own.',
    );
  if (fromMs >= toMs) throw new DrainUsageError('`--from` is not before `--to`: swap the two.');
  if (toMs > nowMs) {
    throw new DrainUsageError(
      `\`--to\` is ${Math.ceil((toMs - nowMs) / 1_000)} s in the future: more records may still arrive. Wait, or give an earlier time.`,
    );
  }
}
