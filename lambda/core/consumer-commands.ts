import type { MappingFacts, MappingSettings, StreamOfCell } from './consumer-facts.ts';
import type { Role } from './role.ts';

// The commands that findings propose. None of them may lose a checkpoint that is worth something, or replay a day.

export interface NewMapping {
  readonly stream: StreamOfCell;
  readonly role: Role;
  /** The function, as the config names it. */
  readonly consumer: string;
  /** What it is to do with a batch: the other region's settings. Absent: not known. */
  readonly settings?: MappingSettings | undefined;
}

/**
 * The command that lets a function read the cell's stream. In health the standby's stream is empty, so the oldest record is
 * the place to begin. The primary's holds all that retention keeps, so there a person has to say from when.
 */
export function createMapping({ stream, role, consumer, settings }: NewMapping): string {
  const arn = stream.arn ?? `arn:aws:kinesis:${stream.region}:ACCOUNT:stream/${stream.name}`;
  const start = role === 'primary' ? 'AT_TIMESTAMP --starting-position-timestamp TIME' : 'TRIM_HORIZON';
  return [
    `aws lambda create-event-source-mapping --region ${stream.region} --function-name ${consumer} --starting-position ${start} --event-source-arn ${arn}`,
    ...optionsOf(settings),
  ].join(' ');
}

/**
 * A function has one mapping on a stream, and the start of a mapping cannot be changed. Lambda deletes in the background,
 * and refuses a second one until it is done.
 */
export function replaceMapping(
  { uuid, settings }: MappingFacts,
  created: Omit<NewMapping, 'settings'>,
): string {
  const of = `--region ${created.stream.region} --uuid ${uuid}`;
  return [
    `aws lambda delete-event-source-mapping ${of}`,
    `while aws lambda get-event-source-mapping ${of} >/dev/null 2>&1; do sleep 5; done`,
    createMapping({ ...created, settings }),
  ].join(' && ');
}

export const updateMapping = ({ uuid }: Pick<MappingFacts, 'uuid'>, region: string, change: string): string =>
  `aws lambda update-event-source-mapping --region ${region} --uuid ${uuid} ${change}`;

/** A destination belongs to its region, so its name has to be filled in. */
export const destination = (arn: string): string =>
  `--destination-config '{"OnFailure":{"Destination":"${arn}"}}'`;

export const REPORT_FAILURES = '--function-response-types ReportBatchItemFailures';

export const filterOption = (filters: readonly string[]): string =>
  filters.length === 0
    ? "--filter-criteria '{}'"
    : `--filter-criteria ${quoted(JSON.stringify({ Filters: filters.map((Pattern) => ({ Pattern })) }))}`;

/** Settings that are not Lambda's defaults, as options of the AWS CLI. */
function optionsOf(settings: MappingSettings = {}): readonly string[] {
  const { batchingWindowSeconds = 0, parallelizationFactor = 1, tumblingWindowSeconds = 0 } = settings;
  const { batchSize, retries = -1, maximumAgeSeconds = -1, filters = [] } = settings;
  const options: readonly (readonly [boolean, string])[] = [
    [batchSize !== undefined, `--batch-size ${batchSize}`],
    [batchingWindowSeconds > 0, `--maximum-batching-window-in-seconds ${batchingWindowSeconds}`],
    [parallelizationFactor > 1, `--parallelization-factor ${parallelizationFactor}`],
    [tumblingWindowSeconds > 0, `--tumbling-window-in-seconds ${tumblingWindowSeconds}`],
    [retries >= 0, `--maximum-retry-attempts ${retries}`],
    [maximumAgeSeconds >= 0, `--maximum-record-age-in-seconds ${maximumAgeSeconds}`],
    [settings.bisects === true, '--bisect-batch-on-function-error'],
    [settings.reportsItemFailures === true, REPORT_FAILURES],
    [settings.hasFailureDestination === true, destination('ARN')],
    [filters.length > 0, filterOption(filters)],
  ];
  return options.flatMap(([isSet, option]) => (isSet ? option : []));
}

export interface StaleLeases {
  readonly role: Role;
  readonly region: string;
  readonly table: string;
  /** The keys of some of them; empty: not known. */
  readonly keys: readonly string[];
  /** Whether the checkpoints are none of the stream. */
  readonly isStrange: boolean;
}

const MOST_COMMANDS = 3;

/**
 * In the primary the checkpoints are the only exact word on what was read. In the standby, too, an application that starts
 * and catches up loses nothing, and a table may hold the leases of other streams.
 */
export function mendLeases({ role, region, table, keys, isStrange }: StaleLeases): string {
  const start = isStrange
    ? `Look first whether the application in ${region} reads the stream that the config names: it cannot go on from a checkpoint of another one.`
    : `Start the application in ${region}: it goes on from its checkpoints`;
  if (role === 'primary') return isStrange ? start : `${start}.`;
  const shown = keys.length === 0 ? ['LEASE_KEY'] : keys.slice(0, MOST_COMMANDS);
  const removal = shown
    .map((key) => {
      const item = quoted(JSON.stringify({ leaseKey: { S: key } }));
      return `aws dynamodb delete-item --region ${region} --table-name ${table} --key ${item}`;
    })
    .join(' && ');
  const rest = keys.length > shown.length ? `; and so on for ${keys.length - shown.length} more` : '';
  const first = isStrange ? start : `${start}. Let it catch up.`;
  return `${first} Or, only while the application is stopped and the cell's traffic is elsewhere, delete single leases: ${removal}${rest}. For their shards it begins where its initialPositionInStream says: LATEST, unless it is set, skips what is there now.`;
}

/** For a shell: in single quotes, whatever it holds. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
