import type { ProducerOptions } from './options.ts';
import { kinesisEndpoint } from './wire/endpoint.ts';

/**
 * Why the endpoints of the regions do not let an evacuation succeed; undefined when nothing is known against them. Settings
 * of the SDK know no regions: a URL in AWS_ENDPOINT_URL_KINESIS is asked for all of them. Never rejects.
 */
export async function endpointProblem({
  regions,
  endpoint,
}: Pick<ProducerOptions, 'regions' | 'endpoint'>): Promise<string | undefined> {
  const regionOf = new Map<string, string>();
  for (const region of regions) {
    // What the application says for a region is its own choice.
    if (endpoint?.(region) !== undefined) continue;
    try {
      const { href } = await kinesisEndpoint({ region });
      const other = regionOf.get(href);
      if (other !== undefined && other !== region) return sameHost([other, region], href);
      regionOf.set(href, region);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}

const sameHost = ([one, other]: readonly [string, string], url: string): string =>
  `Requests for ${one} and for ${other} both go to ${url}, because AWS_ENDPOINT_URL_KINESIS, AWS_ENDPOINT_URL or ` +
  '`endpoint_url` of the shared config file says so for every region: an evacuation would not leave that host. Unset it, or ' +
  'give `endpoint`, which tells that of each region.';
