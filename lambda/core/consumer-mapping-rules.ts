import { createMapping, destination, replaceMapping, updateMapping } from './consumer-commands.ts';
import type { LambdaFacts, MappingFacts } from './consumer-facts.ts';
import { behind, type Found, found, nameOf, type RegionContext, shortArn } from './consumer-found.ts';
import { spanText, storedText } from './consumer-words.ts';

/** Those that are not on their way out. */
export const live = (mappings: readonly MappingFacts[]): readonly MappingFacts[] =>
  mappings.filter(({ state }) => state !== 'deleting');

/** The one that does the work, where there are several: one that runs, else one that will. */
export function workingMapping(mappings: readonly MappingFacts[] | undefined): MappingFacts | undefined {
  const order: readonly MappingFacts['state'][] = ['enabled', 'changing', 'disabled'];
  return live(mappings ?? []).toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0];
}

/** What is wrong with a function and its mapping in one region. */
export function findLambda(facts: LambdaFacts, context: RegionContext): readonly Found[] {
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
    const text = `function ${consumer} in ${region} reads ${elsewhere.map(shortArn).join(', ')}, and not the cell's stream ${stream.name}${sinceWhen(context)}`;
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

/** Why the command for the primary wants a time. */
export function sinceWhen({ stream, role, nowMs }: Pick<RegionContext, 'stream' | 'role' | 'nowMs'>): string {
  if (role !== 'primary') return '';
  const { stored, retentionHours } = stream;
  const hours = retentionHours === undefined ? '' : ` up to ${retentionHours} h of`;
  const what = stored === undefined ? `${hours} records` : ` ${storedText(stored, nowMs)}`;
  return `; TIME in the command is when reading has to begin, for TRIM_HORIZON would replay${what}`;
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
      return '; if it has read nothing so far, as Lambda says, it would begin at LATEST: what arrives before its first poll is missed';
    case 'TRIM_HORIZON': {
      const { stored } = stream;
      if (stored === undefined)
        return '; if it has read nothing so far, as Lambda says, it would begin with the oldest record (TRIM_HORIZON)';
      if (stored.records === 0) return '; it would begin at TRIM_HORIZON, and the stream is empty';
      return `; if it has read nothing so far, as Lambda says, it would begin at TRIM_HORIZON and replay ${storedText(stored, nowMs)}`;
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
    return [ready, found('starts-latest', text, replaceMapping(mapping, context))];
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

const BUCKET_ARN = 'arn:aws:s3:::BUCKET';
const BUCKET_TEXT = 'A bucket gets the records; a queue or topic only their place in the stream';

/** What a mapping does with batches that fail. */
function failures(mapping: MappingFacts, { consumer, stream }: RegionContext): readonly Found[] {
  const { region } = stream;
  const { retries, maximumAgeSeconds, bisects, reportsItemFailures, hasFailureDestination } =
    mapping.settings;
  if (retries === undefined || maximumAgeSeconds === undefined) return [];
  const isEndless = retries < 0 && maximumAgeSeconds < 0;
  const who = `the mapping of function ${consumer} in ${region}`;
  if (isEndless && bisects === false && reportsItemFailures === false) {
    const text = `${who} tries a batch that fails until its records expire, and its shard waits as long. Limited attempts skip a batch, too, while what it writes to is away for minutes: so keep what is given up. ${BUCKET_TEXT}`;
    const change = `--maximum-retry-attempts 10 --bisect-batch-on-function-error ${destination(BUCKET_ARN)}`;
    return [found('blocks-on-poison', text, updateMapping(mapping, region, change))];
  }
  if (!isEndless && hasFailureDestination === false) {
    const when = retries >= 0 ? `${retries} retries` : `${spanText(maximumAgeSeconds * 1_000)}`;
    const text = `${who} gives records up after ${when}, and has no failure destination: they are gone, be it that what it writes to was away for minutes. ${BUCKET_TEXT}`;
    const fix = updateMapping(mapping, region, destination(BUCKET_ARN));
    return [found('no-failure-destination', text, fix)];
  }
  return [];
}

function idle(lambda: LambdaFacts['function'], { consumer, stream }: RegionContext): readonly Found[] {
  if (lambda?.state !== 'Inactive') return [];
  const text = `function ${consumer} in ${stream.region} is Inactive: the first batch has to wake it`;
  return [found('function-idle', text, 'Play a drill now and then, which keeps it awake.')];
}
