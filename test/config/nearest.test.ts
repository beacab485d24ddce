import { expect, test } from 'vitest';
import { nearest } from '../../lib/config/nearest.ts';

const keys = ['tickMs', 'holdMs', 'voteTtlMs'];

test.each([
  ['tickMS', 'tickMs'],
  ['tikcMs', 'tickMs'],
  ['voteTtl', 'voteTtlMs'],
  ['hold', 'holdMs'],
  ['x', undefined],
  ['somethingElse', undefined],
  ['', undefined],
  ['t'.repeat(1_000_000), undefined],
])('%.10s was meant to be %s', (word, meant) => {
  expect(nearest(word, keys)).toBe(meant);
});
