/** `failing`: a quorum of sources reports failures. `suspicious`: fewer, but enough to look by in-band probes. */
export type BeaconSight = 'failing' | 'suspicious' | 'well' | 'unknown';

/** What the producers of a cell report, as one observer reads their beacons. */
export interface CellBeacons {
  readonly cell: string;
  readonly sight: BeaconSight;
  readonly sources: number;
  readonly failing: number;
  readonly reason?: string;
}
