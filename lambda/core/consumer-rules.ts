import type {
  ConsumerFacts,
  FanOutFacts,
  FirehoseFacts,
  KclFacts,
  LambdaFacts,
  MappingFacts,
  OtherFacts,
  StreamOfCell,
} from './consumer-facts.ts';
import type { ConsumerFindingCode } from './consumer-findings.ts';
import { spanText, storedText } from './consumer-words.ts';

// What is wrong with one consumer in one region, by its facts there. Pure, and the same for the command line and for the
// survey, which looks at the standby alone.

/** A finding about a consumer in one region, before cell, names and level are added. */
export interface Found {
  readonly code: ConsumerFindingCode;
  readonly text: string;
  readonly fix: string;
}

export interface RegionContext {
  readonly stream: StreamOfCell;
  readonly consumer: string;
  readonly nowMs: number;
}

/** A consumer that is this far behind does not keep up. */
const LAGGING_MS = 600_000;
/** Behind by more than this part of the retention, a consumer soon loses records. */
const RETENTION_SHARE = 0.5;
const HOUR_MS = 3_600_000;
const WEEK_HOURS = 168;

/**
 * Findings of one consumer in one region. Whether it exists there at all is judged with the other region, by `isPresent`.
 * What keeps a consumer from working hides what would be found behind it.
 */
export function findInRegion(facts: ConsumerFacts | undefined, context: RegionContext): readonly Found[] {
  if (facts === undefined) return [];
  switch (facts.kind) {
    case 'lambda':
      return findLambda(facts, context);
    case 'kcl':
      return findKcl(facts, context);
    case 'enhancedFanOut':
      return findFanOut(facts, context);
    case 'firehose':
      return findFirehose(facts, context);
    case 'other':
      return findOther(facts, context);
    default:
      return facts satisfies never;
  }
}

/**
 * Whether it reads the cell's stream in this region, running or not; undefined: not known, or another finding says that
 * it does not.
 */
export function isPresent(facts: ConsumerFacts | undefined): boolean | undefined {
  switch (facts?.kind) {
    case 'lambda': {
      if (facts.function?.exists === false || facts.mappings === undefined) return undefined;
      if (live(facts.mappings).length > 0) return true;
      return facts.elsewhere === undefined || facts.elsewhere.length === 0 ? false : undefined;
    }
    case 'enhancedFanOut':
    case 'firehose':
      return facts.status === undefined ? undefined : facts.status !== null;
    case 'kcl':
    case 'other':
    case undefined:
      return undefined;
    default:
      return facts satisfies never;
  }
}

const live = (mappings: readonly MappingFacts[]): readonly MappingFacts[] =>
  mappings.filter(({ state }) => state !== 'deleting');

/** The one that does the work, where there are several: one that runs, else one that will. */
export function workingMapping(mappings: readonly MappingFacts[] | undefined): MappingFacts | undefined {
  const order: readonly MappingFacts['state'][] = ['enabled', 'changing', 'disabled'];
  return live(mappings ?? []).toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0];
}

function findLambda(facts: LambdaFacts, context: RegionContext): readonly Found[] {
  const { stream, consumer } = context;
  const { region } = stream;
  const { function: lambda, elsewhere = [] } = facts;
  if (lambda?.exists === false) {
    const text = `there is no function ${consumer} in ${region}`;
    return [found('function-missing', text, 'Deploy the function there, or correct its name in the config.')];
  }
  const mapping = workingMapping(facts.mappings);
  if (mapping === undefined) {
    if (facts.mappings === undefined || elsewhere.length === 0) return [];
    const text = `function ${consumer} in ${region} reads ${elsewhere.map(shortArn).join(', ')}, and not the cell's stream ${stream.name}`;
    return [found('wrong-stream', text, createMapping(context))];
  }
  const stopped = stoppedLambda(facts, mapping, context);
  if (stopped.length > 0) return stopped;
  return [
    ...notBegun(mapping, context),
    ...(mapping.problem === undefined || mapping.state !== 'enabled'
      ? []
      : [
          found(
            'failing',
            `Lambda says of function ${consumer} in ${region}: ${mapping.problem}`,
            `aws logs tail /aws/lambda/${nameOf(consumer)} --region ${region} --since 1h`,
          ),
        ]),
    ...failures(mapping, context),
    ...idle(lambda, context),
    ...behind(facts, context),
  ];
}

/** What keeps it from working at all. */
function stoppedLambda(
  { function: lambda }: LambdaFacts,
  mapping: MappingFacts,
  context: RegionContext,
): readonly Found[] {
  const { consumer, stream } = context;
  const { region } = stream;
  if (mapping.state === 'disabled') {
    const text = `the mapping of function ${consumer} in ${region} is ${mapping.stateName}${onceEnabled(mapping, context)}`;
    return [found('disabled', text, updateMapping(mapping, region, '--enabled'))];
  }
  if (lambda?.reservedConcurrency === 0) {
    const text = `function ${consumer} in ${region} has a reserved concurrency of 0: Lambda runs none of it`;
    const fix = `aws lambda delete-function-concurrency --region ${region} --function-name ${nameOf(consumer)}`;
    return [found('function-throttled', text, fix)];
  }
  if (lambda?.state === 'Failed') {
    const text = `function ${consumer} in ${region} is Failed: Lambda cannot run it`;
    const fix = `aws lambda get-function-configuration --region ${region} --function-name ${nameOf(consumer)} --query StateReason`;
    return [found('function-failed', text, fix)];
  }
  return [];
}

/** What becomes of the records when a mapping is enabled. */
function onceEnabled(mapping: MappingFacts, { stream, nowMs }: RegionContext): string {
  if (mapping.hasRead) return '; enabled, it goes on where it stopped';
  switch (mapping.start) {
    case 'LATEST':
      return '; Lambda says that it has read nothing, and it would begin at LATEST: what arrives before its first poll is missed';
    case 'TRIM_HORIZON': {
      const { stored } = stream;
      if (stored === undefined)
        return '; Lambda says that it has read nothing, and it would begin with the oldest record (TRIM_HORIZON)';
      if (stored.records === 0) return '; it would begin at TRIM_HORIZON, and the stream is empty';
      return `; it would begin at TRIM_HORIZON, and replay ${storedText(stored, nowMs)}`;
    }
    case 'AT_TIMESTAMP':
      return mapping.startAtMs === undefined
        ? ''
        : `; it would begin at ${new Date(mapping.startAtMs).toISOString()}`;
    case undefined:
      return '';
    default:
      return mapping.start satisfies never;
  }
}

function notBegun(mapping: MappingFacts, context: RegionContext): readonly Found[] {
  const { consumer, stream, nowMs } = context;
  const { region, stored } = stream;
  if (mapping.state !== 'changing') return [];
  const who = `the mapping of function ${consumer} in ${region}`;
  const ready = found('not-ready', `${who} is ${mapping.stateName}`, 'Look again in a few minutes.');
  if (mapping.hasRead) return [ready];
  if (mapping.start === 'LATEST') {
    const text = `${who} begins at LATEST: what arrives before its first poll, for up to several minutes, is missed`;
    return [ready, found('starts-latest', text, createMapping(context))];
  }
  if (mapping.start === 'TRIM_HORIZON' && stored !== undefined && stored.records > 0) {
    const text = `${who} begins at TRIM_HORIZON, and replays ${storedText(stored, nowMs)}`;
    return [
      ready,
      found('replays', text, 'Let it read them before the next move; deduplicate by record id.'),
    ];
  }
  return [ready];
}

/** What a mapping does with batches that fail. */
function failures(mapping: MappingFacts, { consumer, stream }: RegionContext): readonly Found[] {
  const { region } = stream;
  const { retries, maximumAgeSeconds, bisects, reportsItemFailures, hasFailureDestination } =
    mapping.settings;
  if (retries === undefined || maximumAgeSeconds === undefined) return [];
  const isEndless = retries < 0 && maximumAgeSeconds < 0;
  const who = `the mapping of function ${consumer} in ${region}`;
  if (isEndless && bisects === false && reportsItemFailures === false) {
    const text = `${who} tries a batch that fails until its records expire, and its shard waits as long`;
    const change = `--maximum-retry-attempts 10 --bisect-batch-on-function-error --destination-config '{"OnFailure":{"Destination":"QUEUE_ARN"}}'`;
    return [found('blocks-on-poison', text, updateMapping(mapping, region, change))];
  }
  if (!isEndless && hasFailureDestination === false) {
    const when = retries >= 0 ? `${retries} retries` : `${spanText(maximumAgeSeconds * 1_000)}`;
    const text = `${who} gives records up after ${when}, and has no failure destination: they are gone`;
    const change = `--destination-config '{"OnFailure":{"Destination":"QUEUE_ARN"}}'`;
    return [found('no-failure-destination', text, updateMapping(mapping, region, change))];
  }
  return [];
}

function idle(lambda: LambdaFacts['function'], { consumer, stream }: RegionContext): readonly Found[] {
  if (lambda?.state !== 'Inactive') return [];
  const text = `function ${consumer} in ${stream.region} is Inactive: the first batch has to wake it`;
  return [found('function-idle', text, 'Play a drill now and then, which keeps it awake.')];
}

function findKcl(facts: KclFacts, context: RegionContext): readonly Found[] {
  const { consumer, stream } = context;
  const { region } = stream;
  if (facts.table === 'missing') {
    const text = `there is no lease table ${consumer} in ${region}: the application has never run there`;
    const fix = `Start the application in ${region}, or correct the name of the table in the config.`;
    return [found('lease-table-missing', text, fix)];
  }
  if (facts.table === 'foreign') {
    const text = `table ${consumer} in ${region} is no lease table of the KCL${facts.foreign === undefined ? '' : `: ${facts.foreign}`}`;
    return [found('not-a-lease-table', text, 'Correct the name of the table in the config.')];
  }
  const { leases } = facts;
  if (leases === undefined) return [];
  if (leases.open === 0 && leases.otherStreams.length > 0) {
    const text = `lease table ${consumer} in ${region} has leases of ${leases.otherStreams.join(', ')}, and none of ${stream.name}`;
    const fix = 'Give the application the cell’s stream, or correct the name of the table in the config.';
    return [found('leases-of-another-stream', text, fix)];
  }
  return [...leaseFindings(facts, context), ...behind(facts, context)];
}

function leaseFindings(facts: KclFacts, { consumer, stream, nowMs }: RegionContext): readonly Found[] {
  const { region } = stream;
  const { leases } = facts;
  if (leases === undefined) return [];
  const start = `Start the application in ${region}.`;
  if (leases.open === 0) {
    const text = `lease table ${consumer} in ${region} has no lease of an open shard: the application has not run, and begins where its own settings say (LATEST unless they say otherwise)`;
    return [found('not-running', text, start)];
  }
  const reset = `Start the application in ${region} and let it catch up; or, while it is stopped: aws dynamodb delete-table --region ${region} --table-name ${consumer}`;
  if (leases.strange > 0) {
    const text = `${leases.strange} of ${leases.open} leases in ${consumer} in ${region} have a checkpoint that is none of stream ${stream.name}: it was deleted and created again, or is another one`;
    return [found('stale-lease', text, reset)];
  }
  // Without a second look nobody knows whether the leases are held.
  if (leases.renewed === undefined || leases.renewed >= leases.open) return [];
  const held = `no worker renews ${leases.open - leases.renewed} of the ${leases.open} leases in ${consumer} in ${region}`;
  if ((leases.behind ?? 0) > 0) {
    const age = leases.behindMs === undefined ? '' : ` (up to ${spanText(leases.behindMs)})`;
    const text = `${held}, and ${leases.behind} have a checkpoint older than the last records${age}: the application would first read those`;
    return [found('stale-lease', text, reset)];
  }
  const { stored } = stream;
  const replay =
    leases.atTrimHorizon > 0 && stored !== undefined && stored.records > 0
      ? `; it would begin with the oldest record, and replay ${storedText(stored, nowMs)}`
      : '';
  return [found('not-running', `${held}${replay}`, start)];
}

function findFanOut(facts: FanOutFacts, context: RegionContext): readonly Found[] {
  const { consumer, stream } = context;
  const { status } = facts;
  if (status === undefined || status === null) return [];
  if (status !== 'ACTIVE') {
    const text = `consumer ${consumer} of the stream in ${stream.region} is ${status}`;
    return [found('not-ready', text, 'Look again in a few minutes.')];
  }
  return behind(facts, context);
}

const firehoseFailed = /FAILED$/;

function findFirehose(facts: FirehoseFacts, context: RegionContext): readonly Found[] {
  const { consumer, stream } = context;
  const { status, source, problem } = facts;
  const { region } = stream;
  const who = `Firehose stream ${consumer} in ${region}`;
  if (status === undefined || status === null) return [];
  const again = `aws firehose describe-delivery-stream --region ${region} --delivery-stream-name ${consumer}`;
  if (firehoseFailed.test(status)) {
    return [found('failing', `${who} is ${status}${problem === undefined ? '' : `: ${problem}`}`, again)];
  }
  if (source === null || (source !== undefined && !isStream(source, stream))) {
    const reads = source === null ? 'no stream of Kinesis' : shortArn(source);
    const text = `${who} reads ${reads}, and not the cell's stream ${stream.name}`;
    return [
      found('wrong-stream', text, 'Create one whose source is the stream: a source cannot be changed.'),
    ];
  }
  if (status !== 'ACTIVE') return [found('not-ready', `${who} is ${status}`, 'Look again in a few minutes.')];
  return behind(facts, context);
}

function findOther({ alarm }: OtherFacts, { consumer, stream }: RegionContext): readonly Found[] {
  const { region } = stream;
  if (alarm === 'missing') {
    const text = `there is no alarm for ${consumer} in ${region} of the name that the config has`;
    return [found('alarm-missing', text, 'Create the alarm, or correct its name in the config.')];
  }
  if (alarm !== 'ALARM') return [];
  const text = `the alarm of ${consumer} in ${region} is in ALARM`;
  return [
    found('alarm-firing', text, `aws cloudwatch describe-alarms --region ${region} --state-value ALARM`),
  ];
}

/** One finding of how far behind it is: the worse one. */
function behind({ lagMs, kind }: ConsumerFacts, { consumer, stream }: RegionContext): readonly Found[] {
  if (lagMs === undefined || lagMs === null || lagMs < LAGGING_MS) return [];
  const { region, retentionHours, name } = stream;
  const who = `${consumer} in ${region} is ${spanText(lagMs)} behind`;
  if (retentionHours !== undefined && lagMs > retentionHours * HOUR_MS * RETENTION_SHARE) {
    const left = spanText(Math.max(0, retentionHours * HOUR_MS - lagMs));
    const hours = Math.max(WEEK_HOURS, retentionHours * 2);
    const fix = `aws kinesis increase-stream-retention-period --region ${region} --stream-name ${name} --retention-period-hours ${hours}`;
    return [
      found('retention-short', `${who}; retention of ${retentionHours} h takes the records in ${left}`, fix),
    ];
  }
  const fix =
    kind === 'lambda'
      ? `aws logs tail /aws/lambda/${nameOf(consumer)} --region ${region} --since 1h`
      : 'Find out why the consumer is slow.';
  return [found('lagging', who, fix)];
}

const found = (code: ConsumerFindingCode, text: string, fix: string): Found => ({ code, text, fix });

/** The name of a function without alias, version or ARN. */
export const nameOf = (consumer: string): string =>
  (consumer.split(':function:').at(-1) ?? consumer).split(':')[0] ?? consumer;
/** `stream/orders` of an ARN. */
const shortArn = (arn: string): string => arn.split(':').slice(5).join(':') || arn;

/** Whether an ARN is that of the stream, or of a registered consumer of it. An account that is not known is any. */
export function isStream(arn: string, { name, region, arn: own }: StreamOfCell): boolean {
  if (own !== undefined) return arn === own || arn.startsWith(`${own}/consumer/`);
  const [, , service, at, , ...rest] = arn.split(':');
  const path = rest.join(':');
  return (
    service === 'kinesis' &&
    at === region &&
    (path === `stream/${name}` || path.startsWith(`stream/${name}/consumer/`))
  );
}

const updateMapping = ({ uuid }: MappingFacts, region: string, change: string): string =>
  `aws lambda update-event-source-mapping --region ${region} --uuid ${uuid} ${change}`;

/** The command that lets a function read the cell's stream. */
export const createMapping = ({ stream, consumer }: Pick<RegionContext, 'stream' | 'consumer'>): string =>
  `aws lambda create-event-source-mapping --region ${stream.region} --function-name ${consumer} --starting-position TRIM_HORIZON --event-source-arn ${stream.arn ?? `arn:aws:kinesis:${stream.region}:ACCOUNT:stream/${stream.name}`}`;
