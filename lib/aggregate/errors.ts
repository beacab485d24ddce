/** Why bytes that begin like an aggregate were not taken apart, and what to do. */
const details = {
  'truncated-aggregate': 'an aggregate that is cut short: look at what wrote or cut the record',
  'aggregate-checksum':
    'begins like a KPL aggregate, but its MD5 does not match: bytes were changed or cut off, or are not an aggregate',
  'aggregate-magic': 'a KPL aggregate, but for one byte of its magic: bytes were changed on the way',
  'aggregate-content':
    'a KPL aggregate with the right MD5, but its content is not in the format: look at what wrote it',
} as const;

export type AggregateRejection = keyof typeof details;

export interface DamageOptions extends ErrorOptions {
  readonly rejection: AggregateRejection;
  /** What exactly is wrong, where more is known. */
  readonly found?: string;
}

/**
 * Bytes that begin like an aggregate and cannot be read as one. Nothing of them was given out: set all the bytes aside, and
 * tell someone.
 */
export class DamagedAggregateError extends Error {
  override readonly name = 'DamagedAggregateError';
  readonly rejection: AggregateRejection;

  constructor({ rejection, found, ...options }: DamageOptions) {
    super(found === undefined ? details[rejection] : `${details[rejection]} (${found})`, options);
    this.rejection = rejection;
  }
}

/** An aggregate has more records than the reader wanted. None of them was read. */
export class TooManyRecordsError extends Error {
  override readonly name = 'TooManyRecordsError';

  constructor(most: number) {
    super(`An aggregate has more than the ${most} records that may still be read.`);
  }
}

/** A record cannot be in an aggregate, whatever else is in it. Nothing was added. */
export class AggregateInputError extends Error {
  override readonly name = 'AggregateInputError';
}

/** This machine cannot compute MD5, so no aggregate can be checked or made. Says nothing about the record. */
export class DigestUnavailableError extends Error {
  override readonly name = 'DigestUnavailableError';
}
