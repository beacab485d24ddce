import { describe, expect, it } from 'vitest';
import { readPages } from '../../lib/aws/pages.ts';

/** A list of numbers in pages of this size, and the places that were asked for. */
function service(count: number, pageSize: number) {
  const asked: (number | undefined)[] = [];
  const ask = async (from: number | undefined) => {
    asked.push(from);
    const start = from ?? 0;
    const end = Math.min(count, start + pageSize);
    const items = Array.from({ length: end - start }, (_, n) => start + n);
    return { items, next: end < count ? end : undefined };
  };
  return { ask, asked };
}

describe('a list in pages', () => {
  it('is read to its end, each page where the one before ended', async () => {
    const { ask, asked } = service(7, 3);
    expect(await readPages({ ask, maxPages: 10 })).toEqual({ items: [0, 1, 2, 3, 4, 5, 6], complete: true });
    expect(asked).toEqual([undefined, 3, 6]);
  });

  it('that is longer than may be read is not complete, and one that just fits is', async () => {
    expect(await readPages({ ...service(7, 3), maxPages: 2 })).toEqual({
      items: [0, 1, 2, 3, 4, 5],
      complete: false,
    });
    expect((await readPages({ ...service(6, 3), maxPages: 2 })).complete).toBe(true);
  });

  it('is read no further than is wanted', async () => {
    const { ask, asked } = service(1_000, 3);
    expect((await readPages({ ask, maxPages: 500, maxItems: 4 })).complete).toBe(true);
    expect(asked).toHaveLength(2);
  });

  it('goes on over an empty page', async () => {
    const pages = [
      { items: [], next: 'b' },
      { items: [1], next: undefined },
    ];
    const ask = async (from: string | undefined) =>
      pages[from === undefined ? 0 : 1] as (typeof pages)[number];
    expect(await readPages({ ask, maxPages: 3 })).toEqual({ items: [1], complete: true });
  });
});
