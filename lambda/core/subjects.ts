import type { DiagnosisCode } from './diagnosis.ts';

export type Subject = 'nothing' | 'primary' | 'standby' | 'observer';

/** The subject of each diagnosis. A new diagnosis does not compile without one. */
const subjects: Readonly<Record<DiagnosisCode, Subject>> = {
  ClockSuspect: 'observer',
  ObserverSick: 'observer',
  BothImpaired: 'primary',
  StandbyUnknown: 'primary',
  StandbyUnfit: 'standby',
  RegionUnreachable: 'primary',
  KinesisWriteImpaired: 'primary',
  CanaryOnly: 'primary',
  StreamsImpaired: 'primary',
  StreamImpaired: 'primary',
  KinesisReadImpaired: 'primary',
  KinesisWriteDegraded: 'primary',
  LatencyDegraded: 'primary',
  PrimaryRefusesAccess: 'primary',
  CanaryMissing: 'primary',
  CloudWatchBlind: 'primary',
  ControlPlaneOnly: 'primary',
  SiblingServicesOnly: 'primary',
  StandbyDegraded: 'standby',
  ProbesRefused: 'observer',
  Undetermined: 'observer',
  Recovering: 'nothing',
  Healthy: 'nothing',
};

/** A diagnosis of another version is unknown here, and an unknown diagnosis does not count as healthy. */
export const subjectOf = (code: string): Subject =>
  Object.hasOwn(subjects, code) ? subjects[code as DiagnosisCode] : 'observer';

/** Whether a diagnosis is a fault of the primary: with K of them, somebody is paged. */
export const accusesPrimary = (code: DiagnosisCode): boolean => subjects[code] === 'primary';
