import { KinesisClient } from '@aws-sdk/client-kinesis';
import type { ProducerOptions } from '../options.ts';

/**
 * The Kinesis endpoint of a region: the option's answer, otherwise the SDK's own rules, which know the
 * partitions.
 */
export function endpointOf(region: string, given: ProducerOptions['endpoint']): URL {
  const chosen = given?.(region);
  if (chosen !== undefined) return new URL(chosen);
  // This client never connects: it is the only way to get at the SDK's endpoint resolver.
  const { endpointProvider } = new KinesisClient({ region }).config;
  return endpointProvider({ Region: region, UseDualStack: false, UseFIPS: false }).url;
}
