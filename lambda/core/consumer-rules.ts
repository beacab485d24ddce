import type {
  ConsumerFacts,
  FanOutFacts,
  FirehoseFacts,
  OtherFacts,
  StreamOfCell,
} from './consumer-facts.ts';
import { behind, type Found, found, type RegionContext, shortArn } from './consumer-found.ts';
import { findKcl } from './consumer-kcl-rules.ts';
import { findLambda, live } from './consumer-mapping-rules.ts';

// What is wrong with one consumer in one region, by its facts there. Pure, and the same for the command line and for the
// survey, which looks at the standby alone.

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

function findFanOut(facts: FanOutFacts, context: RegionContext): readonly Found[] {
  const { consumer, stream } = context;
  const { status } = facts;
  if (status === undefined || status === null) return [];
  if (status !== 'ACTIVE') {
    const text = `consumer ${consumer} of the stream in ${stream.region} is ${status}`;
    return [found('not-ready', text, 'Look again in a few minutes.')];
  }
  // Kinesis sends events of a subscription whether there are records or not. That each is measured is not documented.
  if (facts.lagMs === null) {
    const text = `consumer ${consumer} of the stream in ${stream.region} is registered, and CloudWatch has no data of a subscription in the last minutes: nobody subscribes and nothing is read, or the data are late`;
    const fix = `Start the application in ${stream.region}; if it runs, look again in a few minutes, or once records have arrived.`;
    return [found('nobody-subscribes', text, fix)];
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
