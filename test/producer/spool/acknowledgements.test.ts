import { appendFile, mkdtemp, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcknowledgedRanges } from '../../../lib/producer/spool/acknowledged-ranges.ts';
import {
  decodeJournal,
  encodeJournal,
  JOURNAL_ENTRY_BYTES,
  JOURNAL_FILE,
  JOURNAL_HEADER_BYTES,
} from '../../../lib/producer/spool/acknowledgement-journal.ts';
import { SpoolVersionError } from '../../../lib/producer/spool/errors.ts';
import { inspectSpool } from '../../../lib/producer/spool/inspection.ts';
import { type RecordPlace, Spool, type SpooledRecord } from '../../../lib/producer/spool/spool.ts';

const placeOf = ({ position: { segment, offset }, bytesOnDisk }: SpooledRecord): RecordPlace => ({
  segment,
  start: offset - bytesOnDisk,
  end: offset,
});
const texts = (records: readonly SpooledRecord[]) => records.map(({ data }) => Buffer.from(data).toString());
const everything = { records: 1_000, bytes: 1e9 };

describe('acknowledged ranges', () => {
  it('say of every offset what a set of offsets says, in whatever order they come and are passed', () => {
    const steps = fc.array(fc.record({ unit: fc.nat(60), passes: fc.boolean() }), { maxLength: 80 });
    fc.assert(
      fc.property(steps, (list) => {
        const ranges = new AcknowledgedRanges();
        const model = new Set<number>();
        let passed = 0;
        for (const { unit, passes } of list) {
          if (passes) {
            while (model.has(passed)) model.delete(passed++);
            ranges.passed(passed * 10);
          } else if (unit >= passed && !model.has(unit)) {
            model.add(unit);
            ranges.add({ start: unit * 10, end: unit * 10 + 10, records: 1 });
          }
          expect(ranges.records).toBe(model.size);
          expect(ranges.bytes).toBe(model.size * 10);
          for (let n = passed; n <= 61; n++) expect(ranges.at(n * 10 + 3) !== undefined).toBe(model.has(n));
          const starts = [...ranges].map(({ start }) => start);
          expect(starts).toEqual(
            [...model]
              .filter((n) => !model.has(n - 1))
              .map((n) => n * 10)
              .toSorted((a, b) => a - b),
          );
        }
      }),
    );
  });
});

describe('the journal', () => {
  const entry = fc.record({
    segment: fc.integer({ min: 1, max: 2 ** 40 }),
    salt: fc.nat(2 ** 32 - 1),
    start: fc.nat(2 ** 28),
    end: fc.nat(2 ** 28),
    records: fc.nat(2 ** 31),
  });
  const header = Buffer.alloc(JOURNAL_HEADER_BYTES);
  header.write('SPWYACK\n');
  header[8] = 1;

  it('gives back what was written, up to a write that was cut off or damaged', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), fc.nat(), fc.boolean(), (entries, at, isCut) => {
        const content = Buffer.concat([header, encodeJournal(entries)]);
        expect(decodeJournal(content)).toEqual(entries);
        if (entries.length === 0) return;
        const harmed = JOURNAL_HEADER_BYTES + (at % (content.length - JOURNAL_HEADER_BYTES));
        const whole = entries.slice(0, Math.floor((harmed - JOURNAL_HEADER_BYTES) / JOURNAL_ENTRY_BYTES));
        if (isCut) expect(decodeJournal(content.subarray(0, harmed))).toEqual(whole);
        else {
          content[harmed] = (content[harmed] as number) ^ 0x40;
          expect(decodeJournal(content)).toEqual(whole);
        }
      }),
    );
  });

  it('is empty where it is another file, and refused where a newer Spillway wrote it', () => {
    expect(decodeJournal(Buffer.from('something else, and long enough'))).toEqual([]);
    const newer = Buffer.from(header);
    newer[8] = 2;
    expect(() => decodeJournal(newer)).toThrow(SpoolVersionError);
  });
});

describe('a spool whose records are acknowledged one by one', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'spillway-acknowledgements-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  const open = (onRecord?: (key: string) => void) =>
    Spool.open({
      directory: join(directory, 'spool'),
      maxBytes: 64 * 1024,
      segmentBytes: 4096,
      ...(onRecord === undefined ? {} : { onRecord }),
    });

  it('sends after a restart exactly what was not acknowledged, whatever the order, and says so', async () => {
    const orders = fc.uniqueArray(fc.nat(59), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(orders, fc.integer({ min: 1, max: 5 }), async (order, groups) => {
        await rm(join(directory, 'spool'), { recursive: true, force: true });
        const spool = await open();
        const all = Array.from({ length: 60 }, (_, n) => ({
          partitionKey: `k${n}`,
          data: Buffer.from(`${n}`.padEnd(90)),
        }));
        for (let n = 0; n < 60; n += 7) await spool.append(all.slice(n, n + 7));
        const { records } = await spool.readFrom(spool.oldest, everything);
        expect(records).toHaveLength(60);
        for (let group = 0; group < groups; group++) {
          const places = order
            .filter((_, n) => n % groups === group)
            .map((n) => placeOf(records[n] as SpooledRecord));
          spool.acknowledgeRecords(places);
          const isDurable = await spool.settle({ beyondCursor: true });
          for (const place of places) {
            expect(isDurable(place)).toBe(true);
            expect(spool.isAcknowledged(place)).toBe(true);
          }
        }
        const left = Array.from({ length: 60 }, (_, n) => n).filter((n) => !order.includes(n));
        expect(spool.stats().records).toBe(left.length);
        expect(texts((await spool.readFrom(spool.oldest, everything)).records).map(Number)).toEqual(left);
        // As a crash would leave it: nothing is closed.
        await rm(join(directory, 'spool', 'lock'), { force: true });
        const keys: string[] = [];
        const next = await open((key) => keys.push(key));
        expect(keys).toEqual(left.map((n) => `k${n}`));
        expect(texts(await next.read(everything)).map(Number)).toEqual(left);
        await next.settle({ beyondCursor: false });
        expect(next.stats().records).toBe(left.length);
        await next.close();
        await spool.close().catch(() => {});
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  it('is not settled beyond the cursor unless asked to', async () => {
    const spool = await open();
    await spool.append(['a', 'b', 'c'].map((data) => ({ partitionKey: 'k', data: Buffer.from(data) })));
    const { records } = await spool.readFrom(spool.oldest, everything);
    const [a, b] = records.map(placeOf) as [RecordPlace, RecordPlace];
    spool.acknowledgeRecords([b]);
    expect((await spool.settle({ beyondCursor: false }))(b)).toBe(false);
    spool.acknowledgeRecords([a]);
    const isDurable = await spool.settle({ beyondCursor: false });
    expect([isDurable(a), isDurable(b)]).toEqual([true, true]);
    await spool.close();
  });

  it('lets go of the journal when the cursor has passed everything in it', async () => {
    const spool = await open();
    await spool.append(['a', 'b'].map((data) => ({ partitionKey: 'k', data: Buffer.from(data) })));
    const { records } = await spool.readFrom(spool.oldest, everything);
    const [a, b] = records.map(placeOf) as [RecordPlace, RecordPlace];
    spool.acknowledgeRecords([b]);
    await spool.settle({ beyondCursor: true });
    const journal = join(directory, 'spool', JOURNAL_FILE);
    expect((await stat(journal)).size).toBe(JOURNAL_HEADER_BYTES + JOURNAL_ENTRY_BYTES);
    expect(await inspectSpool(join(directory, 'spool'))).toMatchObject({ records: 1 });
    spool.acknowledgeRecords([a]);
    await spool.settle({ beyondCursor: true });
    await expect(stat(journal)).rejects.toThrow(/ENOENT/);
    await spool.close();
  });

  it('believes a torn or foreign journal in nothing, and loses no record for it', async () => {
    const spool = await open();
    await spool.append(['a', 'b', 'c'].map((data) => ({ partitionKey: 'k', data: Buffer.from(data) })));
    const { records } = await spool.readFrom(spool.oldest, everything);
    spool.acknowledgeRecords([placeOf(records[1] as SpooledRecord)]);
    await spool.settle({ beyondCursor: true });
    await spool.close();
    const journal = join(directory, 'spool', JOURNAL_FILE);
    const content = await readFile(journal);
    // The same range, of a segment with another salt.
    const [own] = decodeJournal(content);
    if (own === undefined) throw new Error('no entry');
    await truncate(journal, JOURNAL_HEADER_BYTES);
    await appendFile(
      journal,
      encodeJournal([
        { ...own, salt: (own.salt ^ 1) >>> 0 },
        { ...own, end: own.end + 1e6 },
      ]),
    );
    const reopened = await open();
    expect(texts(await reopened.read(everything))).toEqual(['a', 'b', 'c']);
    await reopened.close();
  });
});
