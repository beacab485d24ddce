import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hasShare, SHORT_QUEUE } from '../../lib/producer/memory-share.ts';

/** Lets each of so many queues grow as long as it may, in turn. */
function fill({ queues, maxRecords, size }: { queues: number; maxRecords: number; size: number }) {
  const maxBytes = 64 * 1024 * 1024;
  const lengths = new Array<number>(queues).fill(0);
  const buffer = { records: 0, bytes: 0, maxRecords, maxBytes };
  for (let grown = true; grown; ) {
    grown = false;
    for (const [n, records] of lengths.entries()) {
      if (!hasShare(buffer, { records, nextBytes: size })) continue;
      lengths[n] = records + 1;
      buffer.records++;
      buffer.bytes += size;
      grown = true;
    }
  }
  return { lengths, buffer };
}

it('long queues leave room for short ones, have as much as each other, and use most of the buffer', () => {
  const sizes = fc.integer({ min: 1, max: 200_000 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 400, max: 10_000 }),
      sizes,
      (queues, maxRecords, size) => {
        const { lengths, buffer } = fill({ queues, maxRecords, size });
        const used = Math.max(buffer.records / buffer.maxRecords, buffer.bytes / buffer.maxBytes);
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
        if (Math.max(...lengths) > SHORT_QUEUE) {
          expect(used).toBeLessThan(queues / (queues + 8) + 0.1);
          expect(used).toBeGreaterThan(queues / (queues + 8) - 0.1);
        }
      },
    ),
  );
});

it('a short queue is never too long, however full the buffer is', () => {
  const full = { records: 100, bytes: 100, maxRecords: 100, maxBytes: 100 };
  expect(hasShare(full, { records: SHORT_QUEUE - 1, nextBytes: 50 })).toBe(true);
  expect(hasShare(full, { records: SHORT_QUEUE, nextBytes: 50 })).toBe(false);
});
