import { expect, it } from 'vitest';
import type { DrillEvent } from '../../../lib/local/drill/events.ts';
import { Traffic } from '../../../lib/local/drill/kept.ts';

it('says where producers write when that has changed, and nothing in between', () => {
  const events: DrillEvent[] = [];
  const traffic = new Traffic((event) => events.push(event));
  let atMs = 0;
  const second = (...regions: string[]): void => {
    atMs += 1_000;
    const fresh = regions.map((region, n) => ({
      ...{ id: `${atMs}-${n}`, producer: 'p1', region },
      ...{ putAtMs: atMs, atMs },
    }));
    traffic.saw(fresh, { pending: 0, atMs });
  };
  const told = (): string[] =>
    events.map((event) => (event.kind === 'puts' ? Object.keys(event.perRegion).toSorted().join(' ') : ''));
  for (let n = 0; n < 30; n++) second('west', 'west', 'west');
  expect(told()).toEqual(['west']);
  for (let n = 0; n < 5; n++) second('west', 'west', 'east');
  for (let n = 0; n < 30; n++) second('east', 'east', 'east');
  expect(told()).toEqual(['west', 'east west', 'east']);
  for (let n = 0; n < 30; n++) second();
  expect(told()).toEqual(['west', 'east west', 'east', '']);
});
