import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeAggregate } from '../../../lib/aggregate/decode.ts';
import { AggregateEncoder } from '../../../lib/aggregate/encoder.ts';
import { DamagedAggregateError } from '../../../lib/aggregate/errors.ts';
import type { AggregateRecord } from '../../../lib/aggregate/format.ts';
import { anyRecord, plain } from '../fixtures/frame.ts';
import { judge, judgingPython } from './python-judge.ts';

let python: string;
/** The first run in a clone installs the judge. */
beforeAll(async () => {
  python = await judgingPython();
}, 600_000);

const TIMEOUT_MS = 90_000;
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

function encode(records: readonly AggregateRecord[]): Uint8Array {
  const encoder = new AggregateEncoder({ maxBytes: 1_000_000 });
  for (const record of records) encoder.add(record);
  return encoder.finish();
}

/**
 * A hundred aggregates, half of them with hash keys: where only some records have one, the judge gives the others the
 * first of the table.
 */
function samples(): readonly (readonly AggregateRecord[])[] {
  const seed = 20_260_730;
  const records = fc.array(anyRecord, { minLength: 1, maxLength: 40 });
  return fc.sample(fc.tuple(records, fc.boolean()), { numRuns: 100, seed }).map(([all, hashed]) =>
    all.map(({ partitionKey, explicitHashKey = '7', data }) => ({
      partitionKey,
      ...(hashed && { explicitHashKey }),
      data,
    })),
  );
}

describe('aws_kinesis_agg of PyPI', () => {
  it('reads what we write', { timeout: TIMEOUT_MS }, async () => {
    const all = samples();
    const read = await judge(
      python,
      all.map((records) => ({ takeApart: base64(encode(records)) })),
    );
    expect(read).toEqual(
      all.map((records) =>
        records.map(({ partitionKey, explicitHashKey = null, data }, at) => ({
          partitionKey,
          explicitHashKey,
          aggregated: true,
          subSequenceNumber: at,
          data: base64(data),
        })),
      ),
    );
  });

  it('writes what we read, and the same bytes as we write', { timeout: TIMEOUT_MS }, async () => {
    const all = samples();
    const questions = all.map((records) => ({
      make: records.map(({ data, ...keys }) => ({ ...keys, data: base64(data) })),
    }));
    const made = (await judge(python, questions)) as { readonly data: string }[];
    for (const [at, records] of all.entries()) {
      const bytes = Buffer.from(made[at]?.data ?? '', 'base64');
      expect(plain(decodeAggregate(bytes) ?? [])).toEqual(plain(records));
      expect(bytes.equals(encode(records))).toBe(true);
    }
  });

  it('takes damage for a record of its own, without a word; here it is refused', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const bytes = Buffer.from(encode([{ partitionKey: 'k', data: Buffer.from('one') }]));
    bytes[10] = (bytes[10] as number) ^ 1;
    const [read] = await judge(python, [{ takeApart: base64(bytes) }]);
    expect(read).toMatchObject([{ partitionKey: 'whole', aggregated: false, data: base64(bytes) }]);
    expect(() => decodeAggregate(bytes)).toThrow(DamagedAggregateError);
  });
});
