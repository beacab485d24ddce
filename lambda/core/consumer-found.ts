import type { ConsumerFacts, MappingSettings, StreamOfCell } from './consumer-facts.ts';
import type { ConsumerFindingCode } from './consumer-findings.ts';
import { spanText } from './consumer-words.ts';
import type { Role } from './role.ts';

/** A finding about a consumer in one region, before cell, names and level are added. */
export interface Found {
  readonly code: ConsumerFindingCode;
  readonly text: string;
  readonly fix: string;
}

export interface RegionContext {
  readonly stream: StreamOfCell;
  readonly role: Role;
  readonly consumer: string;
  readonly nowMs: number;
  /** Those of the mapping in the other region; absent: not known, or there is none. */
  readonly settings?: MappingSettings | undefined;
}

/** A consumer that is this far behind does not keep up. */
const LAGGING_MS = 600_000;
/** Behind by more than this part of the retention, a consumer soon loses records. */
const RETENTION_SHARE = 0.5;
const HOUR_MS = 3_600_000;
const WEEK_HOURS = 168;

export const found = (code: ConsumerFindingCode, text: string, fix: string): Found => ({ code, text, fix });

/** The name of a function without alias, version or ARN. */
export const nameOf = (consumer: string): string =>
  (consumer.split(':function:').at(-1) ?? consumer).split(':')[0] ?? consumer;

/** `stream/orders` of an ARN. */
export const shortArn = (arn: string): string => arn.split(':').slice(5).join(':') || arn;

/** One finding of how far behind it is: the worse one. */
export function behind(
  { lagMs, kind }: ConsumerFacts,
  { consumer, stream }: RegionContext,
): readonly Found[] {
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
