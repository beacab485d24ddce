import { z } from 'zod';
import { specialRecords } from '../../lambda/core/consumers.ts';
import { either, list, object, oneOf, say, text } from './fields.ts';

// Shape of `cells[].consumers`: everything that reads the streams of a cell, in both regions.

/** The most that one cell may have: Kinesis lets 20 consumers register with a stream, and few streams have that many. */
const MAX_CONSUMERS_PER_CELL = 20;

const functionName = text(
  /^(?:arn:aws:lambda:[a-z0-9-]+:\d{12}:function:)?[a-zA-Z0-9_-]{1,64}(?::[a-zA-Z0-9_-]{1,128})?$/,
  'the name of a Lambda function',
  'Write the name of a function, name:alias, or an ARN.',
);
const tableName = text(
  /^[a-zA-Z0-9_.-]{3,255}$/,
  'the name of a DynamoDB table',
  'Write the name of the lease table: the name of the KCL application, unless you gave the table another.',
);
const registeredName = text(
  /^[a-zA-Z0-9_.-]{1,128}$/,
  'the name of a registered consumer',
  'Write the name under which the consumer is registered with the stream.',
);
const firehoseName = text(
  /^[a-zA-Z0-9_.-]{1,64}$/,
  'the name of a Firehose stream',
  'Write the name of the Firehose stream that reads the stream.',
);
const freeName = text(
  /^[a-zA-Z0-9_. -]{1,64}$/,
  'a name',
  'Use up to 64 letters, digits, spaces, underscores, full stops and hyphens.',
);
const alarmName = text(/^[^\s].{0,254}$/, 'the name of an alarm', 'Write the name of a CloudWatch alarm.');

const inEach = <Name extends z.ZodType>(name: Name, what: string) =>
  either([name, object({ primary: name, standby: name })], {
    what: `${what} nor { primary, standby }`,
    fix: `Write ${what} of both regions, or { primary, standby }.`,
  }).describe(
    `${what[0]?.toUpperCase()}${what.slice(1)}, the same in both regions, or { primary, standby }.`,
  );

const takes = list(oneOf(specialRecords), { min: 0, max: specialRecords.length, what: 'kinds of records' })
  .optional()
  .describe(
    "What else than single records it can read: 'aggregates' of the KPL, 'probes' of Spillway's observers. A function that uses recordsOf of spillway/consumer takes both. Default: aggregates for kcl and firehose, which take them apart by themselves.",
  );

const kinds = [
  object({
    kind: z.literal('lambda').describe('A Lambda function, by an event source mapping in each region.'),
    function: inEach(functionName, 'the name of the function'),
    takes,
  }),
  object({
    kind: z.literal('kcl').describe('An application of the Kinesis Client Library, 1 to 3.'),
    leaseTable: inEach(tableName, 'the name of the lease table'),
    takes,
  }),
  object({
    kind: z.literal('enhancedFanOut').describe('A consumer that is registered with the stream.'),
    name: inEach(registeredName, 'the name of the registered consumer'),
    takes,
  }),
  object({
    kind: z.literal('firehose').describe('A Firehose stream whose source is the stream.'),
    name: inEach(firehoseName, 'the name of the Firehose stream'),
    takes,
  }),
  object({
    kind: z
      .literal('other')
      .describe('Anything else that reads the stream; all that is known of it is an alarm.'),
    name: freeName.optional().describe('For people. Default: other.'),
    alarm: inEach(alarmName, 'the name of the alarm')
      .optional()
      .describe('A CloudWatch alarm in each region that is in ALARM while the consumer does not work.'),
    takes,
  }),
] as const;

const named = kinds.map(({ shape }) => `'${shape.kind.value}'`).join(', ');

const consumer = z.discriminatedUnion('kind', kinds, {
  error: (issue) =>
    issue.code === 'invalid_union'
      ? say('is of no known kind', `Write kind: ${named}.`)
      : say('is not an object', 'Write an object like { kind: "lambda", function: "orders-indexer" }.'),
});

export const consumersSchema = list(consumer, { min: 0, max: MAX_CONSUMERS_PER_CELL, what: 'consumers' });
export type ConsumerInput = z.input<typeof consumer>;
