import { describe, expect, test } from 'vitest';
import { awaitDrain } from '../../lib/operate/await-drain.ts';
import { InterruptedError } from '../../lib/operate/errors.ts';
import { config } from './fixtures/readings.ts';

/** Both cells were evacuated by epoch 3; the marks are what they say at each look, the last one from then on. */
function world(looks: readonly (Readonly<Record<string, number>> | Error)[], waitMs = 5_000) {
  let look = 0;
  const said: string[] = [];
  const interrupted = new AbortController();
  const wait = awaitDrain({
    table: {
      readDrained: async () => {
        const marks = looks[Math.min(look++, looks.length - 1)] ?? {};
        if (marks instanceof Error) throw marks;
        return new Map(Object.entries(marks));
      },
      readSwitches: async () =>
        ['orders', 'clicks'].map((group) => ({ group, position: 'STANDBY' as const, epoch: 3 })),
    },
    cells: config.cells,
    groups: ['orders', 'clicks'],
    waitMs,
    signal: interrupted.signal,
    say: (text) => void said.push(text),
    pollMs: 1,
  });
  return { wait, said, looks: () => look, interrupt: () => interrupted.abort() };
}

describe('a failback after the drain', () => {
  test('waits until every cell is marked for this evacuation, also while the table does not answer', async () => {
    const { wait, said } = world([
      { orders: 2 },
      new Error('throttled'),
      { orders: 3 },
      { orders: 3, clicks: 4 },
    ]);
    await wait;
    expect(said).toEqual([
      'records stranded in the primary are not marked as read for orders, clicks',
      'the marks cannot be read: throttled',
      'records stranded in the primary are not marked as read for clicks',
    ]);
  });

  test('is not begun when the wait is interrupted', async () => {
    const { wait, interrupt } = world([{}], 60_000);
    interrupt();
    await expect(wait).rejects.toThrow(InterruptedError);
  });

  test('is refused when the wait is over, with the command that marks them', async () => {
    await expect(world([{ orders: 3 }], 30).wait).rejects.toThrow(/for clicks \(drained\).*spillway drained/);
    const once = world([{ orders: 3 }], 0);
    await expect(once.wait).rejects.toThrow(/for clicks/);
    expect(once.looks()).toBe(1);
  });
});
