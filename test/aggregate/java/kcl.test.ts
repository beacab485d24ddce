import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { AggregateEncoder } from '../../../lib/aggregate/encoder.ts';
import type { AggregateRecord } from '../../../lib/aggregate/format.ts';
import { hashKeyOf, LAST_HASH_KEY } from '../../../lib/aggregate/keys.ts';
import { takeApart } from '../../../lib/consumer/index.ts';
import type { JavaPrograms } from '../../../lib/local/clients/java.ts';
import { anyRecord } from '../fixtures/frame.ts';
import { ask, INSTALL_TIMEOUT_MS, judgingJava } from './java-judge.ts';

let programs: JavaPrograms;
beforeAll(async () => {
  programs = await judgingJava();
}, INSTALL_TIMEOUT_MS);

const TIMEOUT_MS = 90_000;
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

interface Read {
  readonly partitionKey: string;
  readonly explicitHashKey: string | null;
  readonly aggregated: boolean;
  readonly subSequenceNumber: number;
  readonly data: string;
}

interface Question {
  readonly bytes: Uint8Array;
  readonly range?: { readonly from: bigint; readonly to: bigint };
}

async function kcl(questions: readonly Question[]): Promise<readonly (readonly Read[])[]> {
  const asked = questions.map(({ bytes, range }) => ({
    takeApart: base64(bytes),
    ...(range && { from: String(range.from), to: String(range.to) }),
  }));
  const answers = await ask({ programs, main: 'KclJudge' }, asked);
  return answers.map((answer) => (answer as { readonly records: readonly Read[] }).records);
}

function encode(records: readonly AggregateRecord[]): Uint8Array {
  const encoder = new AggregateEncoder({ maxBytes: 1_000_000 });
  for (const record of records) encoder.add(record);
  return encoder.finish();
}

const read = (records: readonly AggregateRecord[]): readonly Read[] =>
  records.map(({ partitionKey, explicitHashKey = null, data }, at) => ({
    partitionKey,
    explicitHashKey,
    aggregated: true,
    subSequenceNumber: at,
    data: base64(data),
  }));

/** A hundred aggregates in which some records have an explicit hash key. */
const samples = (): readonly (readonly AggregateRecord[])[] =>
  fc.sample(fc.array(anyRecord, { minLength: 1, maxLength: 40 }), { numRuns: 100, seed: 20_260_801 });

describe('AggregatorUtil of the KCL', () => {
  it('reads what we write', { timeout: TIMEOUT_MS }, async () => {
    const all = samples();
    expect(await kcl(all.map((records) => ({ bytes: encode(records) })))).toEqual(all.map(read));
  });

  it('drops the same aggregates as `takeApart` says: all of one with a record outside the shard', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const cases = samples().flatMap((records) => {
      const hashKeys = records.map(hashKeyOf).sort((a, b) => (a < b ? -1 : 1));
      const [least = 0n, most = least] = [hashKeys[0], hashKeys.at(-1)];
      // Every record is inside; then the one with the lowest hash key is outside, and the one with the highest.
      const ranges = [
        { from: least, to: most },
        { from: least + 1n, to: LAST_HASH_KEY },
        { from: 0n, to: most - 1n },
      ];
      return ranges.filter(({ from, to }) => from <= to).map((range) => ({ records, range }));
    });
    const answers = await kcl(cases.map(({ records, range }) => ({ bytes: encode(records), range })));
    let dropped = 0;
    for (const [at, { records, range }] of cases.entries()) {
      const hashKeyRange = { StartingHashKey: String(range.from), EndingHashKey: String(range.to) };
      const record = { PartitionKey: 'whole', SequenceNumber: '1', Data: encode(records) };
      const apart = takeApart(record, { hashKeyRange });
      const kept = apart.filter((one) => !one.droppedByKcl).length;
      expect(kept).toBe(answers[at]?.length);
      if (kept === 0) dropped++;
    }
    expect(dropped).toBeGreaterThan(100);
    expect(dropped).toBeLessThan(cases.length);
  });

  it('takes damage for a record of its own, without a word; here it is rejected', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const bytes = Buffer.from(encode([{ partitionKey: 'k', data: Buffer.from('one') }]));
    bytes[10] = (bytes[10] as number) ^ 1;
    expect(await kcl([{ bytes }])).toMatchObject([[{ partitionKey: 'whole', data: base64(bytes) }]]);
    const [rejected] = takeApart({ PartitionKey: 'whole', SequenceNumber: '1', Data: bytes });
    expect(rejected).toMatchObject({ rejection: 'aggregate-checksum' });
  });

  it('hashes keys as we do', { timeout: TIMEOUT_MS }, async () => {
    const keys = ['a', 'ü', '漢字', '😀', '\ufeffmarked'];
    const questions = keys.flatMap((partitionKey) => {
      const bytes = encode([{ partitionKey, data: Buffer.from('x') }]);
      const at = BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`);
      return [
        { bytes, range: { from: at, to: at } },
        { bytes, range: { from: at + 1n, to: LAST_HASH_KEY } },
      ];
    });
    expect((await kcl(questions)).map(({ length }) => length)).toEqual(keys.flatMap(() => [1, 0]));
  });
});
