import { AggregateInputError } from './errors.ts';
import { type AggregateRecord, md5 } from './format.ts';

type Keys = Pick<AggregateRecord, 'partitionKey' | 'explicitHashKey'>;

/** 2^128 - 1: the last of Kinesis's hash keys. */
export const LAST_HASH_KEY = 2n ** 128n - 1n;
/** Kinesis API Reference, PutRecordsRequestEntry: a key of 1 to 256 Unicode characters. */
const MAX_KEY_CHARACTERS = 256;

/** Kinesis API Reference, PutRecordsRequestEntry: the pattern of ExplicitHashKey, and a value of 128 bits. */
export function isHashKey(text: string): boolean {
  return /^(0|[1-9]\d{0,38})$/.test(text) && BigInt(text) <= LAST_HASH_KEY;
}

/** Whether Kinesis takes the key. An aggregate may hold others, which nobody can put by themselves. */
export function isPartitionKey(key: string): boolean {
  if (key === '' || !key.isWellFormed()) return false;
  // A character outside the basic plane is two units of UTF-16.
  return (
    key.length <= MAX_KEY_CHARACTERS ||
    (key.length <= 2 * MAX_KEY_CHARACTERS && [...key].length <= MAX_KEY_CHARACTERS)
  );
}

/** @throws AggregateInputError for a key that Kinesis would not take */
export function assertKeys({ partitionKey, explicitHashKey }: Keys): void {
  if (!isPartitionKey(partitionKey))
    throw new AggregateInputError(
      `A partition key has 1 to ${MAX_KEY_CHARACTERS} characters of well-formed Unicode: shorten or encode it.`,
    );
  if (explicitHashKey !== undefined && !isHashKey(explicitHashKey))
    throw new AggregateInputError(
      `"${explicitHashKey}" is no explicit hash key: write a whole number from 0 to 2^128 - 1, without zeros in front.`,
    );
}

/** Where Kinesis puts a record: its explicit hash key, else the MD5 of its partition key. @throws DigestUnavailableError */
export function hashKeyOf({ partitionKey, explicitHashKey }: Keys): bigint {
  return explicitHashKey === undefined ? BigInt(`0x${md5(partitionKey)}`) : BigInt(explicitHashKey);
}
