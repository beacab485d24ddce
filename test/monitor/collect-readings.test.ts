import { describe, expect, it } from 'vitest';
import { ReadingsCollector, type Sources } from '../../lambda/monitor/collect-readings.ts';
import { StateUnavailableError } from '../../lib/state/errors.ts';

const MINUTE_MS = 60_000;
const work = { drill: { expectedSinceMs: 5 }, survey: {} };
const gone = () => Promise.reject(new StateUnavailableError('throttled'));

function world() {
  const state = { nowMs: 1_000 * MINUTE_MS, answers: true };
  const sources: Sources = {
    nowMs: () => state.nowMs,
    groups: ['orders', 'clicks'],
    observers: [
      { region: 'us-west-2', read: async () => ({ vote: 'HOLD' }) },
      { region: 'eu-west-1', read: async () => undefined },
    ],
    readQuorum: async () => 'primary',
    recurring: { look: async () => work },
    state: {
      readControl: () => (state.answers ? Promise.resolve({}) : gone()),
      readSwitches: () =>
        state.answers
          ? Promise.resolve([
              { group: 'orders', position: 'STANDBY', epoch: 1 },
              { group: 'clicks', position: 'PRIMARY', epoch: 1 },
              // Of a cell that was removed while it was evacuated.
              { group: 'removed', position: 'STANDBY', epoch: 1 },
            ])
          : gone(),
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
    });
  });

  it('goes on while the state table does not answer', async () => {
    const { collector, state } = world();
    state.answers = false;
    expect(await collector.collect()).toMatchObject({
      quorum: 'primary',
      control: undefined,
      switchesInStandby: undefined,
      work,
    });
  });
});
