import { expect, it } from 'vitest';
import { cellsIn } from '../../lib/deployments/apart.ts';

it('a group without cells is no group of a cell without a name', () => {
  expect([...cellsIn({ orders: 'orders clicks', kept: '' })]).toEqual([
    ['orders', 'orders'],
    ['clicks', 'orders'],
  ]);
});
