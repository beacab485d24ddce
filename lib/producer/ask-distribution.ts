import { DescribeStreamSummaryCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { type Distribution, distributionOf } from '../../lambda/core/distribution.ts';
import type { ProducerOptions } from './options.ts';
import type { RegionalStream } from './transport.ts';
import { Credentials } from './wire/credentials.ts';
import { networkOf } from './wire/network.ts';
import { sdkHandler } from './wire/sdk-handler.ts';

export interface DistributionAsker {
  /** @throws what the SDK throws */
  ask(stream: RegionalStream, signal: AbortSignal): Promise<Distribution>;
  close(): void;
}

const TIMEOUT_MS = 3_000;

/**
 * Asks Kinesis how a stream places its records, with the SDK's client: the host of this call is not always that of PutRecords. One
 * attempt and one connection for each question, which is rare, so that no idle connection stays.
 */
export function distributionAsker(
  options: Pick<ProducerOptions, 'endpoint' | 'credentials' | 'proxy' | 'lookup'>,
): DistributionAsker {
  const network = networkOf(options);
  const credentials = new Credentials({ source: options.credentials, network });
  return {
    ask: async ({ region, stream, streamArn }, signal) => {
      const endpoint = options.endpoint?.(region);
      const client = new KinesisClient({
        region,
        maxAttempts: 1,
        credentials: () => credentials.current(),
        requestHandler: sdkHandler({ maxSockets: 1, timeoutMs: TIMEOUT_MS, network }),
        ...(endpoint === undefined ? {} : { endpoint }),
      });
      try {
        const named = streamArn === undefined ? { StreamName: stream } : { StreamARN: streamArn };
        const { StreamDescriptionSummary: summary } = await client.send(
          new DescribeStreamSummaryCommand(named),
          { abortSignal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) },
        );
        return distributionOf(summary?.RecordDistributionStrategy);
      } finally {
        client.destroy();
      }
    },
    close: () => credentials.close(),
  };
}
