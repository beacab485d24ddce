import { expect, it } from 'vitest';
import { RecentMap } from '../../lib/envelope/recent-map.ts';

it('keeps what is used, forgets what is not, and tells what it forgot', () => {
  const forgotten: string[] = [];
  const map = new RecentMap<number>({ maxKeys: 2, onForget: (gone) => forgotten.push(...gone.keys()) });
  map.set('used', 1);
  for (let n = 0; n < 10; n++) {
    map.set(`${n}`, n);
    expect(map.get('used')).toBe(1);
    expect(map.size).toBeLessThanOrEqual(4);
  }
  expect(map.get('0')).toBeUndefined();
  expect(forgotten).toContain('0');
});

it.each([0, -1, 1.5])('refuses room for %d keys', (maxKeys) => {
  expect(() => new RecentMap({ maxKeys })).toThrow(RangeError);
});
