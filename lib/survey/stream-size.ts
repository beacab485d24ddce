import {
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ResourceNotFoundException,
  type StreamDescriptionSummary,
} from '@aws-sdk/client-kinesis';
import { distributionOf } from '../../lambda/core/distribution.ts';
import type { StreamSize } from '../../lambda/core/survey.ts';

/** Reads how the stream is scaled, and whether it keeps keys together; a missing stream has no shards. @throws what the SDK throws otherwise */
export async function readStreamSize(client: KinesisClient, StreamName: string): Promise<StreamSize> {
  try {
    const answer = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
    return sizeOf(answer.StreamDescriptionSummary);
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return { mode: 'provisioned', shards: 0 };
    throw error;
  }
}

function sizeOf(summary: StreamDescriptionSummary | undefined): StreamSize {
  if (summary?.StreamModeDetails?.StreamMode === 'ON_DEMAND') {
    const warm = summary.WarmThroughput?.CurrentMiBps;
    const isManaged = distributionOf(summary.RecordDistributionStrategy) === 'serviceManaged';
    return {
      mode: 'on-demand',
      ...(warm === undefined ? {} : { warmMibPerSecond: warm }),
      ...(isManaged && { serviceManaged: true }),
    };
  }
  if (summary?.OpenShardCount === undefined) throw new Error('The answer has no number of shards.');
  return { mode: 'provisioned', shards: summary.OpenShardCount };
}
