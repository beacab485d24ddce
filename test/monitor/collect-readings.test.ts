import { describe, expect, it } from 'vitest';
import type { StoredPositions } from '../../lambda/core/endpoint-stored.ts';
import { ReadingsCollector, type Sources } from '../../lambda/monitor/collect-readings.ts';
import { StateUnavailableError } from '../../lib/state/errors.ts';

const MINUTE_MS = 60_000;
const work = { drill: { expectedSinceMs: 5 }, survey: {} };
const found = [{ kind: 'vote', of: 'us-west-2', finding: 'agrees', detail: '' }] as const;
const gone = () => Promise.reject(new StateUnavailableError('throttled'));

function world() {
  const state = { nowMs: 1_000 * MINUTE_MS, answers: true, reads: 0, looks: [] as StoredPositions[] };
  const sources: Sources = {
    nowMs: () => state.nowMs,
    groups: ['orders', 'clicks'],
    observers: [
      { region: 'us-west-2', read: async () => ({ vote: 'HOLD' }) },
      { region: 'eu-west-1', read: async () => undefined },
    ],
    readQuorum: async () => 'primary',
    recurring: { look: async () => work },
    endpoints: {
      look: async (stored) => {
        state.looks.push(await stored(), await stored());
        return found;
      },
    },
    state: {
      readControl: () => (state.answers ? Promise.resolve({}) : gone()),
      readSwitches: () => {
        state.reads++;
        return state.answers
          ? Promise.resolve([
              { group: 'orders', position: 'STANDBY', epoch: 1 },
              { group: 'clicks', position: 'PRIMARY', epoch: 1 },
              // Of a cell that was removed while it was evacuated.
              { group: 'removed', position: 'STANDBY', epoch: 1 },
            ])
          : gone();
      },
    },
  };
  return { state, collector: new ReadingsCollector(sources) };
}

describe('a look of the monitor', () => {
  it('brings in what every source says', async () => {
    const { collector, state } = world();
    expect(await collector.collect()).toEqual({
      nowMs: state.nowMs,
      observers: [
        { region: 'us-west-2', item: { vote: 'HOLD' } },
        { region: 'eu-west-1', item: undefined },
      ],
      quorum: 'primary',
      control: {},
      switchesInStandby: 1,
      work,
      endpoints: found,
    });
  });

  it('compares endpoints with what it reads beside them, and reads again when it is asked again', async () => {
    const { collector, state } = world();
    await collector.collect();
    expect(state.reads).toBe(2);
    const [first, second] = state.looks;
    expect(first).toEqual(second);
    // An observer that could not be read has no vote to compare with.
    expect([...(first?.votes ?? [])]).toEqual([['us-west-2', { vote: 'HOLD' }]]);
    expect(first?.switches?.get('orders')).toMatchObject({ position: 'STANDBY' });
  });

  it('goes on while the state table does not answer', async () => {
    const { collector, state } = world();
    state.answers = false;
    expect(await collector.collect()).toMatchObject({
      quorum: 'primary',
      control: undefined,
      switchesInStandby: undefined,
      work,
      endpoints: found,
    });
  });
});
