import { KinesisClient } from '@aws-sdk/client-kinesis';
import type { ProducerOptions } from '../options.ts';

/** Where Kinesis is in a region: the option's word, else the SDK's own rules, which know the partitions. */
export function endpointOf(region: string, given: ProducerOptions['endpoint']): URL {
  const chosen = given?.(region);
  if (chosen !== undefined) return new URL(chosen);
  // A client that never connects: its resolver is not exported in another way.
  const { endpointProvider } = new KinesisClient({ region }).config;
  return endpointProvider({ Region: region, UseDualStack: false, UseFIPS: false }).url;
}
