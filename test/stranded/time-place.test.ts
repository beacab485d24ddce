import type { Shard } from '@aws-sdk/client-kinesis';
import { describe, expect, it } from 'vitest';
import { type PlaceQuestion, placeOf } from '../../lib/stranded/places.ts';
import { doubtOf, placeSources } from '../../lib/stranded/positions.ts';

const MINUTE_MS = 60_000;
const at = (minute: number): number => minute * MINUTE_MS;
/** An age in each of these minutes. */
const ages = (...some: readonly number[]) => {
  const minutes = some.map((minute) => ({ atMs: at(minute), maxMs: 1_000 }));
  return { minutes, latest: minutes.at(-1) ?? null };
};
const steady = ages(95, 96, 97, 98, 99, 100);
const seenMs = at(95) - 1_000;
const shard = (ShardId: string): Shard => ({
  ShardId,
  HashKeyRange: undefined,
  SequenceNumberRange: undefined,
});

const placed = (more: Partial<PlaceQuestion>, own = steady) => {
  const { place } = placeOf(
    { name: { kind: 'lambda', name: 'fn' }, ages: own },
    {
      ...{
        stream: 'orders',
        shards: [shard('a')],
        keptFromMs: 0,
        moved: true,
        movedAtMs: at(80),
        shared: [],
      },
      ...more,
    },
  );
  return { by: place.by, atMs: place.atMs, because: place.because, vouched: placeSources[place.by].vouched };
};
const guessMs = at(80 - 15);

describe('the place of a function by its age', () => {
  it('is certain for one shard of one stream, read in each of the last minutes', () => {
    expect(placed({})).toMatchObject({ by: 'iterator age', atMs: seenMs, vouched: true });
  });

  it.each([
    ['it reads other streams', { shared: ['fn'] }, steady, /all its streams together/],
    ['a shard may have stopped earlier', { shards: [shard('a'), shard('b')] }, steady, /all 2 shards/],
    ['minutes are missing', {}, ages(95, 96, 98, 99, 100), /has gaps/],
  ] as const)('is a guess from before the move where %s', (_what, more, own, why) => {
    expect(placed(more, own)).toMatchObject({
      ...{ by: 'uncertain age', atMs: guessMs, vouched: false, because: expect.stringMatching(why) },
    });
    expect(placed({ ...more, movedAtMs: at(200) }, own).atMs).toBe(seenMs);
  });

  it('is everything where the move is not known either', () => {
    const { movedAtMs: _, ...rest } = { shared: ['fn'], moved: null, movedAtMs: 0 };
    const { place } = placeOf(
      { name: { kind: 'lambda', name: 'fn' }, ages: steady },
      { stream: 'orders', shards: [shard('a')], keptFromMs: 0, ...rest },
    );
    expect(place.of('a')).toEqual({ kind: 'oldest' });
  });
});

describe('the time that was given', () => {
  it.each([
    ['not later than a certain age', {}, seenMs, 'since and age'],
    ['later than it', {}, seenMs + 1, 'since after age'],
    ['later than an uncertain one', { shared: ['fn'] }, guessMs + 1, 'since after age'],
    ['earlier than an uncertain one', { shared: ['fn'] }, guessMs, 'since'],
  ] as const)('%s', (_what, more, sinceMs, by) => {
    const found = placed({ ...more, sinceMs });
    expect(found).toMatchObject({ by, atMs: sinceMs, vouched: by === 'since and age' });
    expect(doubtOf(found.by, 'Lambda function fn') === undefined).toBe(found.vouched);
  });

  it('is the only evidence where there is no age', () => {
    expect(placed({ sinceMs: 5 }, ages())).toMatchObject({ by: 'since', atMs: 5, vouched: false });
  });
});

it('has a doubt for each guess, and for nothing else', () => {
  for (const [by, { vouched }] of Object.entries(placeSources)) {
    expect([by, doubtOf(by as keyof typeof placeSources, 'it') === undefined]).toEqual([by, vouched]);
  }
});

it('knows when whoever polled the stream was last at its tip, and takes that for no place of a function', () => {
  const tip = { atMs: at(150), maxMs: 0 };
  const { place, tipMs } = placeOf(
    { name: { kind: 'lambda', name: 'fn' }, streamAges: { minutes: [tip], latest: tip } },
    {
      ...{ stream: 'orders', shards: [shard('a')], keptFromMs: 0 },
      moved: true,
      movedAtMs: at(80),
      shared: [],
    },
  );
  expect([place.by, place.atMs, tipMs]).toEqual(['evacuation', guessMs, at(150)]);
});
