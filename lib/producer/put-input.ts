import type { PutRecordCommandInput, PutRecordsCommandInput } from '@aws-sdk/client-kinesis';
import { isStreamName } from '../../lambda/core/signal.ts';
import { asRecordError, CheckedRecord, lengthOf } from './checked-record.ts';
import { RecordError } from './errors.ts';
import { kindOf } from './kind-of.ts';

export type PutInput = PutRecordCommandInput | PutRecordsCommandInput;

/**
 * Limits of a call: the most that a stream can be set to take, as the service judges what this stream takes.
 * No envelope is added.
 */
const rules = { maxRecordBytes: 10 * 1024 * 1024, envelopeBytes: 0 };
const recordFields = ['PartitionKey', 'Data', 'ExplicitHashKey'];
const streamFields = ['StreamName', 'StreamARN'];

export type PutCommand = 'PutRecordCommand' | 'PutRecordsCommand';
type Fields = Readonly<Record<string, unknown>>;

/**
 * The input of a PutRecord or PutRecords call as plain data. Each field is read once, so that what is
 * checked, logged and sent is the same.
 *
 * @throws RecordError for an input that cannot be read
 */
export function plainInput(given: unknown, command: PutCommand): object {
  if (command === 'PutRecordCommand') return readOnce(given, [...streamFields, ...recordFields]);
  const input = readOnce(given, [...streamFields, 'Records']);
  const entries = input.Records as readonly unknown[];
  const length = lengthOf(entries, '`Records`');
  return { ...input, Records: Array.from({ length }, (_, n) => entryAt(entries, n)) };
}

function entryAt(entries: readonly unknown[], n: number): Fields {
  return readOnce(
    guarded(() => entries[n]),
    recordFields,
  );
}

/**
 * An input that every region could take. Without this check the SDK would send whatever it is given: a number
 * in place of a string, `{}` for an ArrayBuffer, nothing for a detached buffer.
 *
 * @throws RecordError
 */
export function checkedInput(plain: object, command: PutCommand): PutInput {
  const input = checkedStream(plain as Fields);
  if (command === 'PutRecordCommand') return checkedRecord(input) as unknown as PutInput;
  const entries = input.Records as readonly Fields[];
  lengthOf(entries, '`Records`');
  return { ...input, Records: entries.map(checkedRecord) } as unknown as PutInput;
}

function checkedRecord(fields: Fields): Fields {
  const { PartitionKey, Data, ExplicitHashKey, ...others } = fields;
  // The SDK leaves out fields that are null.
  const record = { partitionKey: PartitionKey, data: Data, explicitHashKey: ExplicitHashKey ?? undefined };
  const { partitionKey, data, explicitHashKey } = new CheckedRecord(record, rules);
  const checked = { ...others, PartitionKey: partitionKey, Data: data };
  return explicitHashKey === undefined ? checked : { ...checked, ExplicitHashKey: explicitHashKey };
}

/**
 * Checks the stream, because a call that names an impossible stream must not decide which stream the other
 * calls are for.
 */
function checkedStream({ StreamName, StreamARN, ...others }: Fields): Fields {
  const name = StreamName ?? undefined;
  const arn = StreamARN ?? undefined;
  if (name !== undefined && !(typeof name === 'string' && isStreamName(name))) {
    throw new RecordError(
      `\`StreamName\` has 1 to 128 letters, digits, dots, dashes and underscores, and is not ${kindOf(name)}.`,
    );
  }
  if (arn !== undefined && typeof arn !== 'string') {
    throw new RecordError(`\`StreamARN\` is a text, not ${kindOf(arn)}.`);
  }
  return {
    ...others,
    ...(name === undefined ? {} : { StreamName: name }),
    ...(arn === undefined ? {} : { StreamARN: arn }),
  };
}

/** A copy of all own fields, and of the named fields that may come from a class. */
function readOnce(given: unknown, fields: readonly string[]): Fields {
  if (typeof given !== 'object' || given === null) {
    throw new RecordError(`What is put is an object, not ${kindOf(given)}.`);
  }
  return guarded(() => {
    const copy: Record<string, unknown> = { ...given };
    for (const field of fields) {
      if (!Object.hasOwn(copy, field)) copy[field] = (given as Fields)[field];
    }
    return copy;
  });
}

function guarded<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw asRecordError(cause);
  }
}
