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

/**
 * The endpoint of another service in the same region. In every partition it has the name of Kinesis' endpoint with
 * another first label ("Service endpoints and quotas", AWS General Reference).
 */
export function siblingEndpoint(region: string, service: 'dynamodb' | 'sts'): URL {
  const url = new URL(endpointOf(region, undefined));
  url.hostname = url.hostname.replace(/^kinesis\./, `${service}.`);
  return url;
}
