import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { isRegionName, isStreamName } from '../../lambda/core/signal.ts';
import type { TcpAddress } from '../sidecar/options.ts';
import { listArgument } from './options.ts';

/** Where Kinesis is, by region; `''` for every region. */
export type Endpoints = ReadonlyMap<string, string>;

export function endpointArgument(text: string, earlier: Endpoints = new Map()): Endpoints {
  const [, region = '', url = ''] = /^(?:([a-z0-9-]+)=)?(https?:\/\/.+)$/.exec(text) ?? [];
  if (URL.canParse(url)) return new Map([...earlier, [region, url]]);
  throw new InvalidArgumentError(
    'Write a URL, like http://127.0.0.1:4566, or us-east-1=http://127.0.0.1:4566.',
  );
}

export function addressArgument(text: string): TcpAddress {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined && (isIP(host) > 0 || host === 'localhost') && Number(port) <= 65_535) {
    return { host, port: Number(port) };
  }
  throw new InvalidArgumentError(
    'Write an IP address and a port, like 127.0.0.1:4567 or [::1]:4567; port 0 is a free one.',
  );
}

export function regionsArgument(text: string): readonly string[] {
  const regions = listArgument(text);
  if (regions.every(isRegionName)) return regions;
  throw new InvalidArgumentError('Write regions, like us-east-1,us-west-2.');
}

export function streamArgument(text: string): string {
  if (isStreamName(text)) return text;
  throw new InvalidArgumentError(
    'Write the name of a stream: letters, digits, dots, dashes and underscores.',
  );
}
