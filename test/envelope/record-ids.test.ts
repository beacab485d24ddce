import { validate, version } from 'uuid';
import { expect, it } from 'vitest';
import { idText } from '../../lib/envelope/ids.ts';
import { RecordIds } from '../../lib/envelope/record-ids.ts';

it('are UUIDv7, unique, and in order, even when the clock stands still or steps back', () => {
  let nowMs = 1_795_579_151_969;
  const ids = new RecordIds(() => nowMs);
  const given: string[] = [];
  for (let n = 0; n < 5_000; n++) {
    if (n % 1_000 === 500) nowMs += 3;
    if (n % 1_000 === 900) nowMs -= 10_000;
    given.push(idText(ids.next()));
  }
  expect(given.every((id) => validate(id) && version(id) === 7)).toBe(true);
  expect(new Set(given).size).toBe(given.length);
  expect(given.toSorted()).toEqual(given);
  expect(given[0]?.startsWith((1_795_579_151_969).toString(16).padStart(12, '0').slice(0, 8))).toBe(true);
});
