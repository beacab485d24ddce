import { describe, expect, it } from 'vitest';
import {
  type Distribution,
  distributionOf,
  type KnownStreams,
  verdictOf,
} from '../../lambda/core/distribution.ts';

const [home, standby] = ['us-east-1', 'us-west-2'];
const both = { order: true, aggregates: true };
function streams(of: Readonly<Record<string, Distribution>>, more: Partial<KnownStreams> = {}): KnownStreams {
  const known = new Map(
    Object.entries(of).map(([region, distribution]) => [region, { stream: 'orders', distribution }]),
  );
  return { regions: [home, standby], inForce: home, hasWritten: false, known, ...more };
}
const kind = (...given: Parameters<typeof verdictOf>): string => verdictOf(...given).kind;

describe('streams that keep no key together', () => {
  it('are refused at home, at the beginning, by whatever needs keys', () => {
    for (const needs of [both, { order: true, aggregates: false }, { order: false, aggregates: true }])
      expect(kind(streams({ [home]: 'serviceManaged' }), needs)).toBe('refused');
    expect(kind(streams({ [home]: 'serviceManaged' }), { order: false, aggregates: false })).toBe('well');
  });

  it('say what they would lose, and what to do', () => {
    const verdict = verdictOf(streams({ [home]: 'serviceManaged' }), both);
    expect(verdict.kind === 'refused' && verdict.reason).toMatch(
      /orders in us-east-1 .*order: 'perKey'.*KCL drops.*order: 'none'.*leave `aggregate` out.*--region us-east-1/,
    );
    const aggregates = verdictOf(streams({ [home]: 'serviceManaged' }), { order: false, aggregates: true });
    expect(aggregates.kind === 'refused' && aggregates.reason).not.toContain('perKey');
  });

  it('take records in a standby whose home is not known, or keeps keys', () => {
    const there = { inForce: standby };
    expect(kind(streams({ [standby]: 'serviceManaged' }, there), both)).toBe('told');
    expect(kind(streams({ [standby]: 'serviceManaged', [home]: 'byKey' }, there), both)).toBe('told');
    expect(kind(streams({ [standby]: 'serviceManaged', [home]: 'serviceManaged' }, there), both)).toBe(
      'refused',
    );
  });

  it('take records of a producer that has written where keys count', () => {
    const of = { [home]: 'serviceManaged', [standby]: 'serviceManaged' } as const;
    expect(verdictOf(streams(of, { hasWritten: true }), both)).toEqual({
      kind: 'told',
      problems: [
        expect.stringMatching(/us-east-1.*records go on, without their order per key and not aggregated/),
        expect.stringMatching(/us-west-2.*after a move there/),
      ],
    });
  });
});

it('an answer without the field, or with a later value, means keys', () => {
  expect([undefined, 'USER_PARTITION_KEY', 'LATER', 'AUTO'].map(distributionOf)).toEqual([
    ...['byKey', 'byKey', 'byKey'],
    'serviceManaged',
  ]);
});
