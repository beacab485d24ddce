import { describe, expect, it } from 'vitest';
import { emptyMemory, type Memory } from '../../lambda/core/memory.ts';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import type { ProbeRound } from '../../lambda/observer/probes.ts';
import { type RunDependencies, run } from '../../lambda/observer/run.ts';
import type { SaveResult, StoredTick } from '../../lambda/observer/store.ts';
import { policy } from '../core/levels.ts';

const ok: ProbeOutcome = { ok: true, latencyMs: 10 };
const refused: ProbeOutcome = { ok: false, latencyMs: 10, errorClass: 'server', detail: '' };
const round = (write: ProbeOutcome, { puts, firstPuts }: ProbeRound) => ({
  kinesisWrite: Array<ProbeOutcome>(write.ok ? firstPuts : puts.length).fill(write),
  kinesisRead: [write],
  reachability: [ok],
});

/** A world in which time passes only when the observer sleeps, and the table is one owned item. */
function world(lifeMs: number) {
  const table: { owner: string; tick?: StoredTick } = { owner: '' };
  const state = { nowMs: 1_800_000_000_000, monotonicMs: 0, primary: ok as ProbeOutcome, ticks: 0 };
  const startedMs = state.monotonicMs;
  const dependencies = (runId: string): RunDependencies => ({
    policy,
    runId,
    clock: { nowMs: () => state.nowMs, monotonicMs: () => state.monotonicMs },
    remainingMs: () => lifeMs - (state.monotonicMs - startedMs),
    sleep: async (ms) => {
      state.nowMs += ms;
      state.monotonicMs += ms;
    },
    readQuorum: async () => 'primary',
    cells: [],
    probeStreams: async () => [],
    readBeacons: async () => [],
    probe: async (role, asked) => round(role === 'primary' ? state.primary : ok, asked),
    store: {
      takeOver: async (owner): Promise<Memory> => {
        table.owner = owner;
        return table.tick?.memory ?? emptyMemory;
      },
      save: async (owner, tick): Promise<SaveResult> => {
        if (table.owner !== owner) return 'superseded';
        table.tick = tick;
        return 'saved';
      },
      readControl: async () => ({}),
      readSwitches: async () => ({ latch: 'open', switches: [] }),
    },
    onTick: () => {
      state.ticks++;
    },
    onStoreError: () => {},
  });
  return { table, state, dependencies };
}

describe('one run of the observer', () => {
  it('ticks every five seconds until its deadline, with room for a last slow tick', async () => {
    const { dependencies, state, table } = world(90_000);
    expect(await run(dependencies('a'))).toBe('deadline');
    expect(state.ticks).toBe(17);
    expect(table.tick?.decision.vote).toBe('HOLD');
    expect(state.monotonicMs).toBeLessThanOrEqual(83_000);
  });

  it('comes back to its own phase when a slow minute has left it elsewhere, and is never early', async () => {
    const { dependencies, state } = world(90_000);
    const rounds: number[] = [];
    const observer = { ...dependencies('a'), phase: 0.5, onTick: () => void rounds.push(state.nowMs) };
    await run(observer);
    const pauses = rounds.slice(1).map((atMs, n) => atMs - (rounds[n] as number));
    // From 0 s of the clock to 2.5 s.
    expect(pauses.slice(0, 5)).toEqual([5_500, 5_500, 5_500, 5_500, 5_500]);
    expect(new Set(pauses.slice(5))).toEqual(new Set([5_000]));
    expect((rounds.at(-1) as number) % 5_000).toBe(2_500);
  });

  it('stores a vote that outlives the seam between two runs', async () => {
    const { dependencies, table } = world(90_000);
    await run(dependencies('a'));
    const tick = table.tick as StoredTick;
    expect(tick.expiresAtMs - tick.decidedAtMs).toBe(policy.voteTtlMs);
  });

  it('stores how it stands with the table of beacons, and nothing of that where beacons are off', async () => {
    const { dependencies, table } = world(20_000);
    await run(dependencies('a'));
    expect(table.tick).not.toHaveProperty('beaconTable');
    const stands = { isComplete: false, cells: {}, silentCells: 0, ignored: {} };
    const { dependencies: others, table: other } = world(20_000);
    await run({ ...others('b'), beaconTable: () => stands });
    expect(other.tick?.beaconTable).toEqual(stands);
  });

  it('keeps the cadence across the seam: the first round of a run is a tick after the last of the one before', async () => {
    const { dependencies, state, table } = world(90_000);
    await run(dependencies('a'));
    const lastMs = table.tick?.memory.lastRoundAtMs ?? 0;
    state.nowMs = lastMs + 1_200;
    state.monotonicMs = 0;
    const starts: number[] = [];
    await run({
      ...dependencies('b'),
      onTick: ({ memory }) => starts.push(memory.lastRoundAtMs ?? 0),
    });
    expect(starts[0]).toBe(lastMs + policy.tickMs);
    starts.forEach((atMs, n) => {
      if (n > 0) expect(atMs - (starts[n - 1] ?? 0)).toBeGreaterThanOrEqual(policy.tickMs);
    });
  });

  it('ends as soon as a newer run has taken over, and the newer one continues its evidence', async () => {
    const { dependencies, state, table } = world(90_000);
    const old = dependencies('old');
    state.primary = refused;
    const end = await run({
      ...old,
      onTick: () => {
        if (++state.ticks === 2) table.owner = 'new';
      },
    });
    expect(end).toBe('superseded');
    expect(state.ticks).toBe(2);
    expect(table.tick?.memory.ticks).toBe(1);
    await run(dependencies('new'));
    expect(table.tick?.decision.vote).toBe('EVACUATE');
  });

  it('votes to evacuate in three ticks of an impaired primary', async () => {
    const { dependencies, state, table } = world(90_000);
    const votes: string[] = [];
    await run({
      ...dependencies('a'),
      onTick: ({ decision }) => {
        votes.push(decision.vote);
        if (votes.length === 4) state.primary = refused;
      },
    });
    expect(votes.indexOf('EVACUATE')).toBe(4 + 3 - 1);
    expect(table.tick?.decision.vote).toBe('EVACUATE');
  });

  it('keeps ticking on its own memory while its table does not answer', async () => {
    const { dependencies, state } = world(90_000);
    const errors: unknown[] = [];
    const base = dependencies('a');
    await run({
      ...base,
      store: { ...base.store, save: () => Promise.reject(new Error('table gone')) },
      onStoreError: (error) => errors.push(error),
    });
    expect(state.ticks).toBe(17);
    expect(errors).toHaveLength(17);
  });

  it('does not probe or vote without its memory', async () => {
    const { dependencies, state } = world(90_000);
    const base = dependencies('a');
    const takeOver = () => Promise.reject(new Error('table gone'));
    expect(await run({ ...base, store: { ...base.store, takeOver } })).toBe('deadline');
    expect(state.ticks).toBe(0);
  });

  it('distrusts itself after its clock has stepped within a run', async () => {
    const { dependencies, state, table } = world(90_000);
    const base = dependencies('a');
    const codes: string[] = [];
    await run({
      ...base,
      sleep: async (ms) => {
        state.monotonicMs += ms;
        state.nowMs += codes.length === 3 ? ms + 20_000 : ms;
      },
      onTick: ({ decision }) => codes.push(decision.diagnosis),
    });
    expect(codes.slice(1, 3)).toEqual(['Healthy', 'Healthy']);
    expect(codes[4]).toBe('ClockSuspect');
    expect(table.tick?.decision.vote).toBe('HOLD');
  });
});
