import { hostname } from 'node:os';

/** Where a producer reports how its own writes fare (docs/beacons.md). */
export interface BeaconOptions {
  /** The table of beacons: `NAME-beacons`, where NAME is the `name` of Spillway's config. */
  readonly table: string;
  /** The standby's region, where the table is. */
  readonly region: string;
  /**
   * What fails together with this process, such as its availability zone; at most 64 characters. Default: the variable
   * `SPILLWAY_BEACON_DOMAIN`, else the name of the host.
   */
  readonly domain?: string;
  /** Base URL of DynamoDB and of STS there; or one for each, such as VPC interface endpoints. Default: as the SDK's settings say. */
  readonly endpoint?: string | BeaconEndpoints;
}

/** Base URLs by service. A service that is left out is asked where the SDK's settings say. */
export interface BeaconEndpoints {
  readonly dynamodb?: string;
  readonly sts?: string;
}

export const BEACON_DOMAIN_VARIABLE = 'SPILLWAY_BEACON_DOMAIN';

/** The base URL of a service; undefined: as the SDK's settings say. */
export const endpointOf = (
  endpoint: BeaconOptions['endpoint'],
  service: keyof BeaconEndpoints,
): string | undefined => (typeof endpoint === 'object' ? endpoint[service] : endpoint);

export function domainOf({ domain }: Pick<BeaconOptions, 'domain'>): string {
  return domain ?? (process.env[BEACON_DOMAIN_VARIABLE] || hostname() || 'unknown');
}
