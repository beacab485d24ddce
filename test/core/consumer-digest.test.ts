import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ConsumerDigest,
  consumerDigestSchema,
  digestOf,
  mergedDigest,
  type Reader,
  unreadCells,
} from '../../lambda/core/consumer-digest.ts';
import type { ConsumersOfCell, LambdaFacts } from '../../lambda/core/consumer-facts.ts';

const ARN = 'arn:aws:kinesis:us-west-2:111122223333:stream/orders';
const mapping = (state: 'enabled' | 'disabled') => ({
  ...{ uuid: 'u', source: ARN, function: 'indexer', state, stateName: state, hasRead: true },
  settings: {},
});
const cellWith = (standby: LambdaFacts | undefined): ConsumersOfCell => ({
  cell: 'orders',
  declared: true,
  searched: { primary: false, standby: true },
  probe: 'never',
  streams: {
    primary: { name: 'orders', region: 'us-east-1' },
    standby: { name: 'orders', region: 'us-west-2', arn: ARN },
  },
  consumers: [
    {
      kind: 'lambda',
      name: { primary: 'indexer', standby: 'indexer' },
      takes: ['aggregates', 'probes'],
      facts: { primary: undefined, standby },
    },
  ],
});

describe('the digest of a look at consumers', () => {
  it.each<[string, LambdaFacts | undefined, Reader['works'], RegExp | undefined]>([
    ['an enabled mapping', { kind: 'lambda', mappings: [mapping('enabled')] }, 'yes', undefined],
    ['a disabled one', { kind: 'lambda', mappings: [mapping('disabled')] }, 'no', /indexer/],
    ['no mapping', { kind: 'lambda', mappings: [] }, 'no', /us-west-2/],
    ['no answer', { kind: 'lambda' }, 'unknown', undefined],
    ['nothing at all', undefined, 'unknown', undefined],
  ])('of %s', (_what, facts, works, because) => {
    const digest = digestOf(cellWith(facts), 1_000);
    expect(digest).toMatchObject({ cell: 'orders', lookedAtMs: 1_000 });
    expect(digest.readers).toEqual([
      {
        ...{ kind: 'lambda', name: 'indexer', works },
        because: because === undefined ? [] : [expect.stringMatching(because)],
        ...(works !== 'unknown' && { knownAtMs: 1_000 }),
      },
    ]);
    expect(unreadCells([digest], 2_000)).toHaveLength(works === 'no' ? 1 : 0);
    expect(consumerDigestSchema.parse(JSON.parse(JSON.stringify(digest)))).toEqual(digest);
  });
});

const works = fc.constantFrom('yes' as const, 'no' as const, 'unknown' as const);
const digest = (lookedAtMs: fc.Arbitrary<number>): fc.Arbitrary<ConsumerDigest> =>
  fc.record({
    cell: fc.constant('orders'),
    lookedAtMs,
    readers: fc.uniqueArray(
      fc.record({
        kind: fc.constant('kcl' as const),
        name: fc.constantFrom('a', 'b', 'c'),
        works,
        because: fc.constant([]),
      }),
      { selector: ({ name }) => name },
    ),
  });

const namesOf = ({ readers }: ConsumerDigest): readonly string[] => readers.map(({ name }) => name);
const hourMs = 3_600_000;

describe('a look that could not read everything', () => {
  it('keeps what was known, and never makes an old word look new', () => {
    fc.assert(
      fc.property(
        ...[digest(fc.constant(2_000)), digest(fc.constant(1_000)), fc.boolean()],
        (fresh, known, complete) => {
          const merged = mergedDigest({ fresh, complete }, known);
          const gone = namesOf(known).filter((name) => !namesOf(fresh).includes(name));
          expect(namesOf(merged)).toEqual([...namesOf(fresh), ...(complete ? [] : gone)]);
          for (const one of merged.readers) {
            const now = fresh.readers.find(({ name }) => name === one.name);
            const before = known.readers.find(({ name }) => name === one.name);
            const isNews = now !== undefined && now.works !== 'unknown';
            expect(one.works).toBe(isNews ? now.works : (before?.works ?? 'unknown'));
            if (!isNews && one.works !== 'unknown') expect(one.knownAtMs).toBe(1_000);
          }
          const isKnown =
            fresh.readers.some((one) => one.works !== 'unknown') || (complete && fresh.readers.length === 0);
          expect(merged.lookedAtMs).toBe(isKnown ? 2_000 : 1_000);
        },
      ),
    );
  });

  it('gives way to a later one', () => {
    const [older, newer] = [1_000, 2_000].map((lookedAtMs) => ({ cell: 'orders', lookedAtMs, readers: [] }));
    expect(mergedDigest({ fresh: older as ConsumerDigest, complete: true }, newer)).toBe(newer);
  });

  it('lets an alarm end when nobody may look any more', () => {
    const idle = digestOf(cellWith({ kind: 'lambda', mappings: [mapping('disabled')] }), 0);
    const denied = (atMs: number) => ({
      fresh: digestOf(cellWith({ kind: 'lambda' }), atMs),
      complete: true,
    });
    const later = mergedDigest(denied(2 * hourMs), mergedDigest(denied(hourMs), idle));
    expect(unreadCells([later], 2 * hourMs)).toHaveLength(1);
    expect(unreadCells([later], 4 * hourMs)).toEqual([]);
    expect(later.readers).toMatchObject([{ works: 'no' }]);
  });
});
