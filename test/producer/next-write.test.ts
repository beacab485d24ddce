import { expect, it } from 'vitest';
import { Entry, Ticket } from '../../lib/producer/entry.ts';
import { NextWrite, RECORD_OVERHEAD_BYTES } from '../../lib/producer/next-write.ts';

const BYTES = 1_000;
const ON_DISK = BYTES + RECORD_OVERHEAD_BYTES;

function entryOf(partitionKey: string, lane: number): Entry {
  const record = { partitionKey, data: new Uint8Array(BYTES), explicitHashKey: undefined };
  const entry = new Entry(record, { owner: new Ticket(1, 0), index: 0, size: BYTES });
  entry.lane = lane;
  return entry;
}

/** Three records of `busy` and two of `other`, which shares its lane. */
const inMemory = ['busy', 'busy', 'busy', 'other', 'other'].map((key) => entryOf(key, 7));
const memory = { records: inMemory.length, bytes: inMemory.length * BYTES, entries: () => inMemory };
const leader = { partitionKey: 'busy', lane: 7, shard: undefined, isByName: true };

it('has to have room for the records in memory that go to the disk before the next one', () => {
  const next = new NextWrite(memory);
  const four = 4 * ON_DISK;
  expect(next.fitsIn(four, { bytes: BYTES, leader })).toBe(true);
  expect(next.fitsIn(four - 1, { bytes: BYTES, leader })).toBe(false);
  // Nothing of its key waits in memory: only its own bytes count.
  expect(next.fitsIn(ON_DISK, { bytes: BYTES, leader: undefined })).toBe(true);

  next.add(entryOf('busy', 7), leader);
  expect(next.fitsIn(four + ON_DISK, { bytes: BYTES, leader: undefined })).toBe(true);
  expect(next.fitsIn(four, { bytes: BYTES, leader: undefined })).toBe(false);
});

it('takes along the key by itself, or its whole lane where keys are not told apart', () => {
  const [byName, byLane] = [new NextWrite(memory), new NextWrite(memory)];
  byName.add(entryOf('busy', 7), leader);
  byLane.add(entryOf('busy', 7), { ...leader, isByName: false });
  expect(byName.covers({ partitionKey: 'other', lane: 7 })).toBe(false);
  expect(byLane.covers({ partitionKey: 'other', lane: 7 })).toBe(true);
  const { companions } = byLane.take();
  expect(inMemory.filter((entry) => companions.has(entry))).toHaveLength(5);
});
