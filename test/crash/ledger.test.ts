import { describe, expect, it } from 'vitest';
import { Ledger } from '../../scripts/crash/ledger.ts';

describe('the ledger of a crash test', () => {
  it('calls lost what was acknowledged and is nowhere', () => {
    const ledger = new Ledger();
    for (const text of ['k 1 1', 'k 1 2']) ledger.acknowledge(text);
    for (const text of ['k 1 1', 'k 1 3']) ledger.find(text);
    expect(ledger.lost()).toEqual(['k 1 2']);
  });

  it('counts a record again as a duplicate, not as out of order', () => {
    const ledger = new Ledger();
    for (const text of ['k 1 1', 'k 1 2', 'k 1 1']) ledger.find(text);
    expect(ledger).toMatchObject({ duplicates: 1, reordered: 0 });
  });

  it.each([
    ['within a life', ['k 1 2', 'k 1 1'], 1],
    ['over lives', ['k 2 1', 'k 1 7'], 1],
    ['never between keys', ['a 2 9', 'b 1 1'], 0],
  ])('sees a first occurrence that is too late: %s', (_, texts, reordered) => {
    const ledger = new Ledger();
    for (const text of texts) ledger.find(text);
    expect(ledger.reordered).toBe(reordered);
  });

  it('refuses a record that is not of the test', () => {
    expect(() => new Ledger().find('garbage')).toThrow(/Not a record of this test: "garbage"/);
  });
});
