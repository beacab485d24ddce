import type { Blame } from './blame.ts';
import { failsWholly, type RegionLevels, works } from './observation.ts';
import { siblingNames } from './policy.ts';
import type { RegionsSeen } from './regions-seen.ts';
import { regionsStreamsFail, streamsTakeRecords } from './streams.ts';

/** What an observer sees at one moment, and what it remembers of the primary. */
export interface Sight extends RegionsSeen {
  /** The primary was impaired, and has not been healthy for the whole recovery time since then. */
  readonly recovering: boolean;
  /** Cells that this observer accuses by themselves. */
  readonly accusedCells: number;
}

export interface Diagnosis {
  readonly code: string;
  readonly description: string;
  /** Whether evacuating the primary is the right answer. */
  readonly actionable: boolean;
  /** What the person on call should do. */
  readonly operator: string;
  /** The condition in words, for the documentation. */
  readonly when: string;
  readonly matches: (sight: Sight) => boolean;
}

const writeDown = (region: RegionLevels): boolean => region.kinesisWrite === 'down';
const readDown = (region: RegionLevels): boolean => region.kinesisRead === 'down';
const silent = (region: RegionLevels): boolean => region.reachability === 'down';
const takesNothing = (region: RegionLevels): boolean =>
  failsWholly(region, 'kinesisWrite') || failsWholly(region, 'kinesisRead') || silent(region);
const isDegraded = (region: RegionLevels): boolean => writeDown(region) || region.kinesisErrors === 'down';

/**
 * Whether a standby can take traffic: it has lately taken a record and returned one. Unknown is not fit, but for reads
 * that are unknown because this observer is refused: the standby takes records all the same. How much it fails
 * beside the primary is weighed by the gain.
 */
export const isFit = (standby: RegionLevels, blames: readonly Blame[] = []): boolean =>
  works(standby, 'kinesisWrite') &&
  !silent(standby) &&
  (works(standby, 'kinesisRead') ||
    (standby.kinesisRead === 'unknown' && blames.some((blame) => refusedReads.has(blame))));

const refusedReads: ReadonlySet<Blame> = new Set([
  'standby-refuses-access',
  'standby-unclassified',
  'observer-in-part',
]);

/** No put of this observer is understood or allowed in the primary. */
const refusesPuts = ({ primary, blames }: Sight): boolean =>
  primary.kinesisWrite === 'unknown' &&
  (blames.includes('primary-unclassified') || blames.includes('observer-in-part'));

/** The primary fails for more than a few, and the standby would fail nearly as many. */
const noBetterPlace = ({ primary, standby, gain, severe }: Sight): boolean =>
  severe && gain !== 'large' && writeDown(primary) && writeDown(standby);

/** First match wins; the last row always matches. `docs/diagnoses.md` is generated from this table. */
export const diagnoses = [
  {
    code: 'ClockSuspect',
    description: 'This observer’s clock has jumped, so its ages and expiries mean nothing for a minute.',
    actionable: false,
    operator:
      'Do nothing if the diagnosis passes. If the diagnosis stays, the region’s time service is at fault; the other observers decide meanwhile.',
    when: 'the observer’s clock stepped',
    matches: (sight) => sight.observer === 'clock-suspect',
  },
  {
    code: 'ObserverSick',
    description: 'This observer cannot be trusted: its credentials, its probes or its network are at fault.',
    actionable: false,
    operator: 'Read the observer’s log in its region. The other observers decide meanwhile.',
    when: 'errors of the observer’s own making, or neither region answers it',
    matches: (sight) => sight.observer !== 'sound' || (silent(sight.primary) && silent(sight.standby)),
  },
  {
    code: 'BothImpaired',
    description: 'Primary and standby both fail to take records: there is no better place.',
    actionable: false,
    operator:
      'Page. Producers keep trying and spool. Do not move anything by hand before one of the two works again.',
    when: 'primary writes down, and the standby fails wholly (writes, reads or reachability) or nearly as much as the primary',
    matches: (sight) => (writeDown(sight.primary) && takesNothing(sight.standby)) || noBetterPlace(sight),
  },
  {
    code: 'StandbyUnknown',
    description:
      'The primary fails to take records, and the standby is not known to take and return them: nothing may be moved there.',
    actionable: false,
    operator:
      'Page. See for yourself whether the standby takes records; if it does, fail over by hand with --force. Producers spool meanwhile.',
    when: 'primary writes down, and the standby’s writes or reads not known to work',
    matches: ({ primary, standby, blames }) =>
      writeDown(primary) && !takesNothing(standby) && !isFit(standby, blames),
  },
  {
    code: 'StandbyUnfit',
    description: 'The standby does not take and return records, so nothing may be moved there.',
    actionable: false,
    operator: 'Page. Repair the standby: until then an outage of the primary cannot be evacuated.',
    when: 'the standby fails wholly (writes, reads or reachability), or its canary is missing',
    matches: ({ standby, blames }) => takesNothing(standby) || blames.includes('standby-canary-missing'),
  },
  {
    code: 'CanaryOnly',
    description:
      'The canary takes no records, or one of its shards does not; the streams of the cells, or the other shards, do.',
    actionable: false,
    operator:
      'Page. Look at the errors of your own producers: if they fail as well, fail over by hand. If they do not, the canary is the only casualty.',
    when: 'primary writes down, and this observer’s records in the cells’ own streams are taken, or one shard of the canary alone shows a gain',
    matches: ({ primary, gain, streams }) =>
      writeDown(primary) && (gain === 'one-shard' || (gain === 'large' && streamsTakeRecords(streams))),
  },
  {
    code: 'RegionUnreachable',
    description: 'Nothing in the primary answers this observer at all.',
    actionable: true,
    operator: 'Watch the evacuation. Expect consumers and stores in the primary to be down as well.',
    when: 'primary reachability and writes down, and a large gain',
    matches: ({ primary, gain }) => silent(primary) && writeDown(primary) && gain === 'large',
  },
  {
    code: 'KinesisWriteImpaired',
    description: 'The primary answers, and fails to take far more records than the standby does.',
    actionable: true,
    operator: 'Watch the evacuation. Do not fail back before the primary has been healthy for a long time.',
    when: 'primary writes down, and a large gain',
    matches: ({ primary, gain }) => writeDown(primary) && gain === 'large',
  },
  {
    code: 'StreamsImpaired',
    description: 'The own streams of half of all cells, or more, take no records, whatever the canary says.',
    actionable: true,
    operator: 'Watch the evacuation. The canary is well: look at it afterwards.',
    when: 'the streams of half of all cells, and at least two, are impaired (cells that may not be probed count as cells), and the standby is fit',
    matches: ({ streams, standby, blames }) => regionsStreamsFail(streams) && isFit(standby, blames),
  },
  {
    code: 'KinesisReadImpaired',
    description: 'The primary takes records and keeps them, but they cannot be read back.',
    actionable: false,
    operator:
      'Page. Records are safe, but consumers cannot read them; moving producers would not move the backlog.',
    when: 'primary reads down; not if they fail in part, beside writes that do',
    matches: ({ primary }) => readDown(primary) && !(isDegraded(primary) && works(primary, 'kinesisRead')),
  },
  {
    code: 'StreamImpaired',
    description:
      'A cell’s own stream takes far fewer records than its stream in the standby; the region is well.',
    actionable: false,
    operator:
      'Watch the cell move, or see in `spillway why` what holds it. A cell that may not be probed does not move by itself: fail it over by hand.',
    when: 'a cell’s stream is impaired, or its producers report so and may move it',
    matches: ({ accusedCells }) => accusedCells > 0,
  },
  {
    code: 'KinesisWriteDegraded',
    description:
      'The primary fails to take some records. Retries cure that, or the standby would be no better: leaving is not worth it.',
    actionable: false,
    operator:
      'Page. Watch the retries and buffers of the producers; if they grow, fail over by hand. It is an evacuation as soon as the gain is large.',
    when: 'primary writes or errors down',
    matches: ({ primary }) => isDegraded(primary),
  },
  {
    code: 'LatencyDegraded',
    description: 'The primary takes records, but far more slowly than usual.',
    actionable: false,
    operator: 'Page. Watch the producers’ buffers; if they grow, fail over by hand.',
    when: 'primary latency down',
    matches: (sight) => sight.primary.kinesisLatency === 'down',
  },
  {
    code: 'PrimaryRefusesAccess',
    description:
      'The primary refuses this observer’s credentials, signature or puts, and the standby accepts the same.',
    actionable: false,
    operator:
      'Page. Compare with what your producers get: a policy or key that names the primary alone, or a failure of the region’s own sign-in. Nothing moves for it by itself.',
    when: 'access errors of the primary in several rounds in a row, and none of the standby; or no put that is understood there',
    matches: (sight) => sight.blames.includes('primary-refuses-access') || refusesPuts(sight),
  },
  {
    code: 'CanaryMissing',
    description:
      'The canary stream of the primary, or another resource that is probed there, does not exist.',
    actionable: false,
    operator: 'Page. Deploy again: without its canary a region cannot be judged.',
    when: 'errors that say so in several rounds in a row',
    matches: ({ blames }) => blames.includes('primary-canary-missing'),
  },
  {
    code: 'CloudWatchBlind',
    description: 'CloudWatch in the primary loses or delays metrics; Kinesis takes records.',
    actionable: false,
    operator: 'Page. Distrust alarms and dashboards of the primary; Spillway does not use them.',
    when: 'primary CloudWatch down',
    matches: (sight) => sight.primary.cloudWatch === 'down',
  },
  {
    code: 'ControlPlaneOnly',
    description: 'Kinesis’ control plane fails in the primary; its data plane works.',
    actionable: false,
    operator: 'Page. Do not change or scale streams in the primary now.',
    when: 'primary control plane down',
    matches: (sight) => sight.primary.controlPlane === 'down',
  },
  {
    code: 'SiblingServicesOnly',
    description: 'Other services of the primary fail (those of `policy.siblingProbes`); Kinesis is well.',
    actionable: false,
    operator: 'Page the owners of whatever depends on these services. Moving producers would not help.',
    when: 'primary Cognito, Lambda or SQS down',
    matches: ({ primary }) => siblingNames.some((name) => primary[name] === 'down'),
  },
  {
    code: 'StandbyDegraded',
    description:
      'The standby fails in part, or refuses some of this observer’s calls. It would still take the traffic of a primary that fails more.',
    actionable: false,
    operator: 'Page. Repair the standby before it is needed.',
    when: 'standby writes, errors or reads down in part, or access errors of the standby alone',
    matches: ({ standby, blames }) =>
      isDegraded(standby) ||
      readDown(standby) ||
      blames.includes('standby-refuses-access') ||
      blames.includes('standby-unclassified'),
  },
  {
    code: 'ProbesRefused',
    description: 'Some calls of this observer are not understood or not allowed; its puts are.',
    actionable: false,
    operator:
      'Read the observer’s log in its region, and compare its role with the deployed one. Its judgement of writes is sound.',
    when: 'errors that a caller may have caused, in several rounds in a row, beside puts that succeed',
    matches: ({ blames }) => blames.includes('observer-in-part') || blames.includes('primary-unclassified'),
  },
  {
    code: 'Undetermined',
    description: 'There is not enough fresh evidence about the primary to say anything.',
    actionable: false,
    operator: 'Normal in the first minute of an observer. If the diagnosis stays, read the observer’s log.',
    when: 'primary writes or reads unknown',
    matches: (sight) => sight.primary.kinesisWrite === 'unknown' || sight.primary.kinesisRead === 'unknown',
  },
  {
    code: 'Recovering',
    description: 'The primary works again, but not yet for as long as the recovery time.',
    actionable: false,
    operator: 'Wait. Failback is refused until the recovery time is over, because an outage often returns.',
    when: 'the primary was impaired within the recovery time',
    matches: (sight) => sight.recovering,
  },
  {
    code: 'Healthy',
    description: 'The primary takes and returns records, and nothing else fails for long.',
    actionable: false,
    operator: 'Nothing.',
    when: 'otherwise',
    matches: () => true,
  },
] as const satisfies readonly Diagnosis[];

export type DiagnosisCode = (typeof diagnoses)[number]['code'];
export const diagnosisCodes = diagnoses.map((row) => row.code);

const actionable = new Set<string>(diagnoses.filter((row) => row.actionable).map((row) => row.code));
/**
 * Whether a diagnosis calls for an evacuation. A code that is not in the table, for example of an older
 * version, does not.
 */
export const isActionable = (code: string): boolean => actionable.has(code);

/** The first row of the table that matches. */
export function diagnose(sight: Sight): (typeof diagnoses)[number] {
  const row = diagnoses.find((candidate) => candidate.matches(sight));
  if (row === undefined) throw new Error('The diagnosis table has lost its last row, which always matches.');
  return row;
}
