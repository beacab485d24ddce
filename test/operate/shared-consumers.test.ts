import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { sharedOf } from '../../lib/operate/stranded.ts';
import { configInput } from './fixtures/readings.ts';

const existing = (name: string) => ({ name, existing: true });

function sharedBy(own: object, other: object): readonly string[] {
  const cells = [
    { name: 'orders', stream: existing('orders'), consumers: [own] },
    { name: 'clicks', stream: existing('clicks'), consumers: [other] },
  ];
  const config = parseConfig({ ...configInput, cells } as typeof configInput, 'test');
  const [orders] = config.cells;
  return orders === undefined ? ['no cell'] : sharedOf(orders, config, 'primary');
}

describe('a consumer has one age for several streams', () => {
  it.each([
    ['the same function', { kind: 'lambda', function: 'fn' }, { kind: 'lambda', function: 'fn' }, ['fn']],
    ['its alias', { kind: 'lambda', function: 'fn:live' }, { kind: 'lambda', function: 'fn' }, ['fn:live']],
    ['another function', { kind: 'lambda', function: 'fn' }, { kind: 'lambda', function: 'other' }, []],
    [
      'a registered consumer of the same name, which has an age for each stream',
      { kind: 'enhancedFanOut', name: 'fn' },
      { kind: 'enhancedFanOut', name: 'fn' },
      [],
    ],
  ] as const)('%s', (_what, own, other, shared) => {
    expect(sharedBy(own, other)).toEqual(shared);
  });
});
