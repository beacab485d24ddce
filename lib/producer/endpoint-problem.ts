import type { ProducerOptions } from './options.ts';
import { kinesisEndpoint } from './wire/endpoint.ts';
import { environmentProxyFor, proxyName } from './wire/proxy.ts';

/**
 * Why the endpoints of the regions do not let an evacuation succeed, or are not reached as the environment says; undefined
 * when nothing is known against them. Settings of the SDK know no regions: a URL in AWS_ENDPOINT_URL_KINESIS is asked for all
 * of them. Never rejects.
 */
export async function endpointProblem({
  regions,
  endpoint,
  proxy,
  streamArn,
}: Pick<ProducerOptions, 'regions' | 'endpoint' | 'proxy' | 'streamArn'>): Promise<string | undefined> {
  const regionOf = new Map<string, string>();
  const urls: URL[] = [];
  for (const region of regions) {
    const given = endpoint?.(region);
    try {
      const url = await kinesisEndpoint({ region, endpoint: given, streamArn: streamArn?.[region] });
      urls.push(url);
      // What the application says for a region is its own choice.
      if (given !== undefined) continue;
      const other = regionOf.get(url.href);
      if (other !== undefined && other !== region) return sameHost([other, region], url);
      regionOf.set(url.href, region);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return proxy === undefined ? unusedProxy(urls) : undefined;
}

const sameHost = ([one, other]: readonly [string, string], { href }: URL): string =>
  `Requests for ${one} and for ${other} both go to ${href}, because AWS_ENDPOINT_URL_KINESIS, AWS_ENDPOINT_URL or ` +
  '`endpoint_url` of the shared config file says so for every region: an evacuation would not leave that host. Unset it, or ' +
  'give `endpoint`, which tells that of each region.';

function unusedProxy(urls: readonly URL[]): string | undefined {
  for (const url of urls) {
    const proxy = environmentProxyFor(url);
    if (proxy === undefined) continue;
    return (
      `The environment names the proxy ${proxyName(proxy)} for ${url.origin}, and requests do not go through it: like the AWS ` +
      "SDK, the producer asks a proxy only if it is told to. Give `proxy: 'environment'`, or `proxy: 'none'` to ask directly."
    );
  }
  return undefined;
}
