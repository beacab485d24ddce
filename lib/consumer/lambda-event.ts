import { isRecordShape, type LambdaKinesisRecord } from './kinesis-record.ts';

/**
 * A record of a Lambda event, as an event source mapping gives it: of a stream, or of a consumer with enhanced fan-out. The types
 * of `@types/aws-lambda` fit.
 */
export interface LambdaEventRecord {
  readonly kinesis: LambdaKinesisRecord;
  /** The shard and the sequence number: `shardId-000000000006:49590338271…`. */
  readonly eventID?: string | undefined;
  readonly awsRegion?: string | undefined;
  /** Of the stream, or of the consumer of the stream. */
  readonly eventSourceARN?: string | undefined;
}

/** Of a tumbling window too, which has `window` and `state` beside the records: they are left alone. */
export interface LambdaKinesisEvent<Source extends LambdaEventRecord = LambdaEventRecord> {
  readonly Records: readonly Source[];
}

/** Where the record of Kinesis came from. A field that the event does not tell is undefined. */
export interface EventPlace {
  readonly shardId: string | undefined;
  readonly eventID: string | undefined;
  readonly region: string | undefined;
  /** Name of the stream. */
  readonly stream: string | undefined;
}

/** @throws TypeError for anything that is no event with records */
export function recordsIn<Source extends LambdaEventRecord>(
  event: LambdaKinesisEvent<Source>,
): readonly Source[] {
  if (Array.isArray(event?.Records)) return event.Records;
  throw new TypeError(
    'The event has no `Records`. Pass the event of a Kinesis trigger as the handler got it.',
  );
}

export function placeOf(record: LambdaEventRecord | undefined): EventPlace {
  const eventID = textOf(record?.eventID);
  const [shardId] = /^shardId-[^:]+(?=:)/.exec(eventID ?? '') ?? [];
  const [, region, stream] =
    /^arn:[^:]+:kinesis:([^:]*):[^:]*:stream\/([^/]+)/.exec(textOf(record?.eventSourceARN) ?? '') ?? [];
  return { shardId, eventID, region: textOf(record?.awsRegion) ?? region, stream };
}

/** Whether `kinesis` has the fields of a record, of the right kinds; its data may still not be base64. */
export const hasKinesis = (record: LambdaEventRecord | undefined): record is LambdaEventRecord =>
  isRecordShape(record?.kinesis);

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
