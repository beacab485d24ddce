import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import type { Recurring, RecurringWork } from '../../lambda/core/recurring.ts';
import { RecurringWatch } from '../../lambda/monitor/recurring-watch.ts';
import { StateUnavailableError } from '../../lib/state/errors.ts';

const MINUTE_MS = 60_000;
const drill = (atMs: number, ok = true): JournalEntry => ({
  atMs,
  who: 'schedule',
  what: 'drill',
  why: 'weekly',
  after: { ok },
});

/** The table's rules in memory; that the real one keeps them is shown on LocalStack. */
function world() {
  const state = {
    nowMs: 1_000 * MINUTE_MS,
    journal: [] as JournalEntry[],
    journalReads: 0,
    answers: true,
    writes: 0,
    items: {} as Partial<Record<RecurringWork, { expectedSinceMs?: number; doneAtMs?: number }>>,
  };
  const answering = (): void => {
    if (!state.answers) throw new StateUnavailableError('throttled');
  };
  /** As after a deployment: a function with other settings, on the same table. */
  const deploy = (...expected: readonly RecurringWork[]) =>
    new RecurringWatch({
      nowMs: () => state.nowMs,
      expected,
      state: {
        history: async () => {
          answering();
          state.journalReads++;
          return state.journal;
        },
      },
      recurring: {
        read: async (work): Promise<Recurring> => {
          answering();
          return { ...state.items[work] };
        },
        expect: async (work, sinceMs) => {
          answering();
          state.writes++;
          const { expectedSinceMs: _was, ...rest } = state.items[work] ?? {};
          state.items[work] = sinceMs === null ? rest : { ...rest, expectedSinceMs: sinceMs };
        },
        done: async (work, doneAtMs) => {
          answering();
          state.writes++;
          state.items[work] = { ...state.items[work], doneAtMs };
        },
      },
    });
  return { state, deploy };
}

describe('the watch over recurring work', () => {
  it('begins to wait when the deployment begins to ask, and a later deployment does not begin anew', async () => {
    const { state, deploy } = world();
    const sinceMs = state.nowMs;
    expect(await deploy('survey', 'drill').look()).toEqual({
      drill: { expectedSinceMs: sinceMs },
      survey: { expectedSinceMs: sinceMs },
    });
    state.nowMs += 5 * 24 * 60 * MINUTE_MS;
    expect((await deploy('survey', 'drill').look()).drill).toEqual({ expectedSinceMs: sinceMs });
    expect(state.writes).toBe(2);
  });

  it('does not wait for what nobody asks for, reads no journal for it and writes nothing', async () => {
    const { state, deploy } = world();
    state.journal = [drill(5)];
    expect((await deploy('survey').look()).drill).toEqual({});
    expect(state.journalReads).toBe(0);
    expect(state.items.drill).toBeUndefined();
  });

  it('forgets that it waited when drills are left out, and begins anew when they are back', async () => {
    const { state, deploy } = world();
    state.journal = [drill(5)];
    await deploy('drill').look();
    state.nowMs += 400 * MINUTE_MS;
    await deploy().look();
    expect(state.items.drill).toEqual({ doneAtMs: 5 });
    state.nowMs += 40_000 * MINUTE_MS;
    expect((await deploy('drill').look()).drill).toEqual({ expectedSinceMs: state.nowMs, doneAtMs: 5 });
  });

  it('remembers a drill that succeeded when the journal no longer shows it, and not one that failed', async () => {
    const { state, deploy } = world();
    state.journal = [drill(9, false), drill(5), drill(3)];
    expect((await deploy('drill').look()).drill?.doneAtMs).toBe(5);
    state.journal = [];
    expect((await deploy('drill').look()).drill?.doneAtMs).toBe(5);
    state.journal = [drill(20)];
    expect((await deploy('drill').look()).drill?.doneAtMs).toBe(20);
    expect(state.items.drill?.doneAtMs).toBe(20);
  });

  it('reads every ten minutes, and keeps what it knows when that fails', async () => {
    const { state, deploy } = world();
    const watch = deploy('drill');
    state.journal = [drill(5)];
    await watch.look();
    state.journal = [drill(900 * MINUTE_MS)];
    state.nowMs += 9 * MINUTE_MS;
    expect((await watch.look()).drill?.doneAtMs).toBe(5);
    expect(state.journalReads).toBe(1);
    state.nowMs += MINUTE_MS;
    state.answers = false;
    expect((await watch.look()).drill?.doneAtMs).toBe(5);
    state.answers = true;
    expect((await watch.look()).drill?.doneAtMs).toBe(900 * MINUTE_MS);
  });

  it('says nothing, rather than that nothing was done, when it could never read', async () => {
    const { state, deploy } = world();
    state.answers = false;
    expect(await deploy('drill', 'survey').look()).toEqual({ drill: undefined, survey: undefined });
  });
});
