import { describe, expect, it } from 'vitest';
import { POSITION_REMEMBERED_MS, READ_TIMEOUT_MS } from '../../lambda/core/switch.ts';
import { type Positions, Switchboard } from '../../lambda/switch/positions.ts';

const REFRESH_MS = 3_000;
const held: Positions = new Map([['orders', 'STANDBY']]);

/** A switchboard with a clock of ours, and reads that end when the test says so. */
function world() {
  const reads: { resolve: (positions: Positions) => void; reject: (error: Error) => void }[] = [];
  const unread: unknown[] = [];
  let nowMs = 0;
  const board = new Switchboard({
    nowMs: () => nowMs,
    refreshMs: REFRESH_MS,
    onUnread: (error) => void unread.push(error),
    read: () => new Promise((resolve, reject) => void reads.push({ resolve, reject })),
  });
  return {
    reads,
    unread,
    pass: (ms: number) => {
      nowMs += ms;
    },
    ask: async (group = 'orders') => (await board.say(group)).value,
    say: () => board.say('orders'),
    /** Asks, and ends the read that this began. */
    askAnd: async (end: Positions | Error) => {
      const asked = board.say('orders');
      const read = reads.at(-1);
      if (end instanceof Error) read?.reject(end);
      else read?.resolve(end);
      return (await asked).value;
    },
  };
}

describe('a switchboard', () => {
  it('reads once for all that ask meanwhile, and not again before its time', async () => {
    const { ask, reads, pass } = world();
    const asked = [ask(), ask('clicks'), ask()];
    expect(reads).toHaveLength(1);
    reads[0]?.resolve(held);
    expect(await Promise.all(asked)).toEqual(['STANDBY', 'PRIMARY', 'STANDBY']);
    pass(REFRESH_MS - 1);
    expect(await ask()).toBe('STANDBY');
    expect(reads).toHaveLength(1);
  });

  it('after a failure tries again each second, and says what it knew for five minutes', async () => {
    const { askAnd, reads, unread, pass, ask } = world();
    await askAnd(held);
    for (let ms = REFRESH_MS; ms <= POSITION_REMEMBERED_MS; ms += 1_000) {
      pass(ms === REFRESH_MS ? REFRESH_MS : 1_000);
      expect(await askAnd(new Error('slow'))).toBe('STANDBY');
      expect(await ask()).toBe('STANDBY');
    }
    expect(unread).toHaveLength(reads.length - 1);
    pass(1_000);
    expect(await askAnd(new Error('slow'))).toBe('PRIMARY');
  });

  it('gives up a read that an instance was frozen with, and its late answer does not undo a newer one', async () => {
    const { askAnd, reads, pass, ask } = world();
    await askAnd(held);
    pass(REFRESH_MS);
    const frozen = ask();
    pass(READ_TIMEOUT_MS);
    expect(await askAnd(new Map([['orders', 'PRIMARY']]))).toBe('PRIMARY');
    expect(reads).toHaveLength(3);
    reads[1]?.resolve(held);
    await frozen;
    expect(await ask()).toBe('PRIMARY');
  });

  it('says from the first failure to the next success that it cannot read, whatever it remembers', async () => {
    const { askAnd, say, pass } = world();
    const unread = { value: 'STANDBY', read: false };
    await askAnd(held);
    expect(await say()).toEqual({ value: 'STANDBY', read: true });
    pass(REFRESH_MS);
    await askAnd(new Error('not allowed'));
    expect(await say()).toEqual(unread);
    pass(1_000);
    await askAnd(held);
    expect(await say()).toEqual({ value: 'STANDBY', read: true });
  });

  it('says so too when it never could, and when reads are frozen with the instance before they end', async () => {
    const { askAnd, say, pass } = world();
    await askAnd(new Error('not allowed'));
    expect(await say()).toEqual({ value: 'PRIMARY', read: false });
    pass(1_000);
    await askAnd(held);
    pass(REFRESH_MS);
    const slow = say();
    // It may only be slow: nothing has failed yet.
    expect(await slow).toEqual({ value: 'STANDBY', read: true });
    pass(READ_TIMEOUT_MS);
    expect(await say()).toEqual({ value: 'STANDBY', read: false });
  });
});
