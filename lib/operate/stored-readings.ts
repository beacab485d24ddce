import type { CredentialsVerdict } from '../credentials/verdict.ts';
import type { DnsReadings } from './dns.ts';
import type { EndpointsLook } from './endpoints.ts';
import type { ObserverReadings } from './observers.ts';
import type { Reading } from './reading.ts';
import type { StateReadings } from './state.ts';

/** What the tables of the observers and of the standby contain. */
export interface StoredReadings {
  readonly atMs: number;
  readonly observers: ObserverReadings;
  readonly state: StateReadings;
  readonly credentials: CredentialsVerdict;
}

export interface Readings extends StoredReadings {
  readonly dns: DnsReadings;
  /** Absent: nobody wanted to know. */
  readonly endpoints?: Reading<EndpointsLook>;
}
