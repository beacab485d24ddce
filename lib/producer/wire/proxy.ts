import { getProxyForUrl } from 'proxy-from-env';

/** `environment`: as HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say. `none`: no proxy. Else the URL of one. */
export type ProxyChoice = 'environment' | 'none' | (string & {});

/** Through which proxy a URL is asked; undefined: directly. Default: directly, as the AWS SDK does. */
export function proxyFor(url: URL, choice: ProxyChoice = 'none'): URL | undefined {
  switch (choice) {
    case 'none':
      return undefined;
    case 'environment':
      return environmentProxyFor(url);
    default:
      return new URL(choice);
  }
}

/** The proxy that the environment names for a URL. */
export function environmentProxyFor(url: URL): URL | undefined {
  return URL.parse(getProxyForUrl(url.href)) ?? undefined;
}

/** A proxy's URL, without its password. */
export const proxyName = ({ protocol, host }: URL): string => `${protocol}//${host}`;
