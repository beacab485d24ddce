import type { ObserverCondition, RegionLevels } from './observation.ts';

/** What an observer sees at one moment. */
export interface Sight {
  readonly primary: RegionLevels;
  readonly standby: RegionLevels;
  readonly observer: ObserverCondition;
}

export interface Diagnosis {
  readonly code: string;
  readonly description: string;
  /** Whether evacuating the primary is the right answer. */
  readonly actionable: boolean;
  /** What the person on call should do. */
  readonly operator: string;
  readonly matches: (sight: Sight) => boolean;
}

const writeDown = (region: RegionLevels): boolean => region.kinesisWrite === 'down';
const readDown = (region: RegionLevels): boolean => region.kinesisRead === 'down';
const silent = (region: RegionLevels): boolean => region.reachability === 'down';
const kinesisUp = (region: RegionLevels): boolean =>
  region.kinesisWrite === 'up' && region.kinesisRead === 'up';

/** First match wins; the last row always matches. Documentation is generated from this table. */
export const diagnoses = [
  {
    code: 'ObserverSick',
    description: 'This observer cannot be trusted: its clock, its credentials or its own network.',
    actionable: false,
    operator: 'Read the observer’s log in its region. The other observers decide meanwhile.',
    matches: (sight) => sight.observer !== 'sound' || (silent(sight.primary) && silent(sight.standby)),
  },
  {
    code: 'StandbyUnfit',
    description: 'The standby does not take and return records, so nothing may be moved there.',
    actionable: false,
    operator: 'Page. If the primary is impaired too, there is no better place: producers keep trying.',
    matches: (sight) =>
      writeDown(sight.standby) ||
      readDown(sight.standby) ||
      silent(sight.standby) ||
      (writeDown(sight.primary) && !kinesisUp(sight.standby)),
  },
  {
    code: 'RegionUnreachable',
    description: 'Nothing in the primary answers this observer at all.',
    actionable: true,
    operator: 'Watch the evacuation. Expect consumers and stores in the primary to be gone as well.',
    matches: (sight) => silent(sight.primary) && writeDown(sight.primary),
  },
  {
    code: 'KinesisWriteImpaired',
    description: 'The primary answers, but does not take records.',
    actionable: true,
    operator: 'Watch the evacuation. Do not fail back before the primary has been healthy for long.',
    matches: (sight) => writeDown(sight.primary),
  },
  {
    code: 'KinesisReadImpaired',
    description: 'The primary takes records and keeps them, but they cannot be read back.',
    actionable: false,
    operator: 'Page. Records are safe and consumers are blind; moving producers would not bring the backlog.',
    matches: (sight) => readDown(sight.primary),
  },
  {
    code: 'CloudWatchBlind',
    description: 'CloudWatch in the primary loses or delays metrics; Kinesis takes records.',
    actionable: false,
    operator: 'Page. Distrust alarms and dashboards of the primary; Spillway does not use them.',
    matches: (sight) => sight.primary.cloudWatch === 'down',
  },
  {
    code: 'ControlPlaneOnly',
    description: 'Kinesis’ control plane fails in the primary; its data plane works.',
    actionable: false,
    operator: 'Page. Do not change or scale streams in the primary now.',
    matches: (sight) => sight.primary.controlPlane === 'down',
  },
  {
    code: 'Undetermined',
    description: 'There is not enough fresh evidence about the primary to say anything.',
    actionable: false,
    operator: 'Normal in the first minute of an observer. If it lasts, read the observer’s log.',
    matches: (sight) => sight.primary.kinesisWrite === 'unknown' || sight.primary.kinesisRead === 'unknown',
  },
  {
    code: 'Healthy',
    description: 'The primary takes and returns records, and nothing else fails for long.',
    actionable: false,
    operator: 'Nothing.',
    matches: () => true,
  },
] as const satisfies readonly Diagnosis[];

export type DiagnosisCode = (typeof diagnoses)[number]['code'];
export const diagnosisCodes = diagnoses.map((row) => row.code);

/** The first row of the table that matches. */
export function diagnose(sight: Sight): (typeof diagnoses)[number] {
  const row = diagnoses.find((candidate) => candidate.matches(sight));
  if (row === undefined) throw new Error('The diagnosis table has lost its last row, which always matches.');
  return row;
}
