import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CheckedEndpoint,
  endpointItem,
  endpointKey,
  endpointPath,
  parseEndpointItems,
} from '../../lambda/core/endpoint-items.ts';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const endpoints = fc.record({
  kind: fc.constantFrom('vote' as const, 'switch' as const),
  of: label,
  host: fc.tuple(label, label, fc.constantFrom('', ':4566')).map(([a, b, port]) => `${a}.${b}.on.aws${port}`),
  path: label.map((path) => `/${path}`),
  checkId: fc.uuid(),
  atMs: fc.integer({ min: 1, max: 4_000_000_000_000 }),
}) satisfies fc.Arbitrary<CheckedEndpoint>;
const item = endpointItem({
  kind: 'switch',
  of: 'orders',
  host: 'abc.lambda-url.us-west-2.on.aws',
  path: endpointPath({ kind: 'switch', of: 'orders' }),
  checkId: 'check-1',
  atMs: 1_800_000_000_000,
});

describe('what the health checks ask', () => {
  it('has a key for each vote and switch, and the path of its check', () => {
    expect(endpointKey({ kind: 'vote', of: 'eu-west-1' })).toEqual({
      pk: 'endpoints',
      sk: 'vote#eu-west-1',
    });
    expect(item).toMatchObject({ pk: 'endpoints', sk: 'switch#orders', path: '/cells/orders' });
    expect(endpointPath({ kind: 'vote', of: 'eu-west-1' })).toBe('/vote');
  });

  it('survives a round trip', () => {
    fc.assert(
      fc.property(fc.array(endpoints, { maxLength: 5 }), (some) => {
        expect(parseEndpointItems(some.map(endpointItem))).toEqual({ endpoints: some, damaged: [] });
      }),
    );
  });

  it('names what cannot be understood, and reads the rest', () => {
    const damaged = [
      { ...item, host: 'http://elsewhere.example.com/' },
      { ...item, host: 'localhost' },
      { ...item, host: 'abc.on.aws:99999' },
      { ...item, path: 'cells/orders' },
      { ...item, path: '/cells/orders\r\nHost: x' },
      { ...item, checkId: undefined },
      { ...item, atMs: 'today' },
      { ...item, sk: 'beacon#orders' },
      { ...item, sk: 'switch#' },
      { ...item, sk: 'switch' },
    ];
    const read = parseEndpointItems([...damaged, item, undefined, { sk: 7 }]);
    expect(read.endpoints).toHaveLength(1);
    expect(read.damaged).toEqual([
      ...damaged.map(({ sk }) => sk),
      'an item without a key',
      'an item without a key',
    ]);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.array(fc.anything()), (items) => {
        const { endpoints: read, damaged } = parseEndpointItems(items);
        expect(read.length + damaged.length).toBe(items.length);
      }),
    );
  });
});
