import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { ProducerOptions } from './options.ts';

export interface FollowSignalOptions
  extends Pick<
    ProducerOptions,
    | 'signal'
    | 'regions'
    | 'streamName'
    | 'streamArn'
    | 'accounts'
    | 'endpoint'
    | 'beacons'
    | 'proxy'
    | 'lookup'
  > {
  /** Longest wait of a call for the first signal, in milliseconds. Default 5,000. */
  readonly firstSignalTimeoutMs?: number;
  /**
   * Makes the client of a region; it is destroyed by `close`. Default: one that shares the given client's credentials, request
   * handler, attempts, retry mode, FIPS and dual-stack settings. Give it when calls need middleware or a retry strategy of your own, or
   * when credentials are fetched from the client's own region, which is the one that fails.
   */
  readonly createClient?: (region: string) => KinesisClient;
  /**
   * Called when DNS fails or gives an invalid answer (the last good signal stays in force), once when the
   * resolver keeps answers beyond their TTL, once when beacons cannot be written, and once when the settings of the SDK send
   * both regions to one host.
   */
  readonly onProblem?: (problem: string) => void;
}
