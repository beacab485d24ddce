import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { evacuationDue } from '../../lambda/core/conductor.ts';
import { observerReport } from '../../lambda/core/conductor-observers.ts';
import type { Control } from '../../lambda/core/control.ts';
import { observerClaim } from '../../lambda/core/epoch.ts';
import type { Quorum } from '../../lambda/core/lifecycle.ts';
import { emptyMemory } from '../../lambda/core/memory.ts';
import type { RegionOutcomes } from '../../lambda/core/observation.ts';
import type { ProbeOutcome } from '../../lambda/core/probe.ts';
import { observeRound, type RoundResult } from '../../lambda/core/round.ts';
import { latchOf } from '../../lambda/core/switch.ts';
import { defaultRegions } from '../../lib/config/defaults.ts';
import { fateOf } from '../../lib/scenario/faults.ts';
import { loadScenario } from '../../lib/scenario/load.ts';
import { FencedError } from '../../lib/state/errors.ts';
import { policy } from '../core/levels.ts';
import { bench, drive } from './bench.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The second dip begins at 12:30Z, 5 h 42 min after the first. */
const SECOND_DIP_MS = 5 * HOUR_MS + 42 * MINUTE_MS;
const observers = ['us-west-2', 'us-east-2', 'eu-west-1'];
const GROUPS = 20;
const ok: ProbeOutcome = { ok: true, latencyMs: 20 };
const failed: ProbeOutcome = { ok: false, latencyMs: 20, errorClass: 'server', detail: 'InternalFailure' };

/** Three observers, the quorum and the conductor in virtual time; traffic follows quorum and switches at once. */
async function replay() {
  const scenario = await loadScenario('2025-dynamodb-puts');
  const world = bench(GROUPS);
  const t0 = world.clock.nowMs;
  const generator = xoroshiro128plus(2025);
  const random = (): number => uniformFloat64(generator);
  const last = new Map<string, RoundResult & { readonly atMs: number }>();
  const control: { now: Control } = { now: {} };
  let quorum: Quorum = 'primary';

  const probe = (source: string, region: string, elapsedMs: number): RegionOutcomes => {
    const call = (operation: string): ProbeOutcome => {
      const fate = fateOf(
        { source, region, service: 'kinesis', operation },
        { scenario, roles: defaultRegions, elapsedMs, random },
      );
      return fate.failure === undefined ? ok : failed;
    };
    const puts = Array.from({ length: policy.putsPerRound }, () => call('PutRecord'));
    const read = puts.some((put) => put.ok) ? { kinesisRead: [call('GetRecords')] } : {};
    return { kinesisWrite: puts, ...read, reachability: [ok] };
  };
  const latched = () => latchOf([...world.table.switches.values()], GROUPS);

  /** One round of everybody; then DNS follows. Returns the switches that are in the primary, of those that were set. */
  const tick = (): void => {
    const nowMs = world.clock.nowMs;
    for (const region of observers) {
      const readings = {
        startedAtMs: nowMs,
        nowMs,
        clockStepMs: 0,
        primary: probe(region, 'us-east-1', nowMs - t0),
        standby: probe(region, 'us-west-2', nowMs - t0),
        control: control.now,
        latch: latched(),
        quorum,
      };
      last.set(region, {
        ...observeRound(last.get(region)?.memory ?? emptyMemory, readings, policy),
        atMs: nowMs,
      });
    }
    const votes = [...last.values()].filter(({ decision }) => decision.vote === 'EVACUATE').length;
    quorum = votes >= policy.votesToEvacuate ? 'standby' : 'primary';
    world.clock.nowMs = nowMs + policy.tickMs;
  };
  const conductor = {
    ...world.conductor,
    readQuorum: async () => quorum,
    readReports: async () =>
      [...last].flatMap(([region, { decision, atMs }]) => {
        const item = {
          vote: decision.vote,
          diagnosis: decision.diagnosis,
          decidedAtMs: atMs,
          expiresAtMs: atMs + policy.voteTtlMs,
          healthySinceMs: decision.state.healthySinceMs,
        };
        return observerReport(region, item, world.clock.nowMs) ?? [];
      }),
  };
  const until = async (elapsedMs: number): Promise<void> => {
    while (world.clock.nowMs - t0 < elapsedMs) {
      tick();
      const state = last.get('us-west-2')?.decision.state;
      const voteSinceMs = state?.voteSinceMs ?? null;
      if (
        state === undefined ||
        !evacuationDue({ phase: state.phase, latch: latched(), quorum, voteSinceMs })
      )
        continue;
      const claim = observerClaim('us-west-2', voteSinceMs ?? 0);
      const epoch = await world.table.claimEpoch({ claim, who: 'observer', what: 'evacuate', atMs: 1 });
      const auto = {
        action: 'evacuate',
        trigger: 'auto',
        epoch,
        owner: 'observer us-west-2',
        reason: 'quorum',
      } as const;
      await drive(auto, { conductor, clock: world.clock });
    }
  };
  return { world, conductor, until, t0, last, latched, control };
}

/** An operator who trusts the calm fails back just before the second dip, a tenth every two minutes. */
async function failBackIntoTheDip(control: Control) {
  const replayed = await replay();
  const { world, conductor, until, t0, latched, last } = replayed;
  await until(HOUR_MS);
  expect(latched()).toBe('latched');
  // The first dip is over at 2 h 52 min: the votes end, and traffic stays.
  await until(SECOND_DIP_MS - 5 * MINUTE_MS);
  expect(phasesOf(last)).toEqual(observers.map(() => 'recovered'));
  expect(latched()).toBe('latched');

  replayed.control.now = control;
  const epoch = await world.table.claimEpoch({ claim: 'operator', who: 'ada', what: 'failback', atMs: 1 });
  const input = {
    action: 'failback',
    epoch,
    owner: 'ada',
    reason: 'calm',
    percent: 10,
    pauseSeconds: 120,
  } as const;
  const released: number[] = [];
  const end = await drive(input, { conductor, clock: world.clock }, async (step) => {
    const back = [...world.table.switches.values()].filter(({ position }) => position === 'PRIMARY').length;
    if (step === 'release') released.push(back);
    if (step === 'release' || step === 'watch') await until(world.clock.nowMs - t0 + 10_000);
    return 'go on';
  }).catch((error: unknown) => error);
  expect(released).toEqual([2, 4, 6]);
  return { ...replayed, end, epoch, heldAgainMs: world.clock.nowMs - t0 - SECOND_DIP_MS };
}

const phasesOf = (last: ReadonlyMap<string, RoundResult>): readonly string[] =>
  [...last.values()].map(({ decision }) => decision.state.phase);

describe('the second dip of 2025', () => {
  it('finds a failback half way: the observers evacuate again, which fences it, and nothing goes back by itself', async () => {
    const { end, latched, until, heldAgainMs, world } = await failBackIntoTheDip({});
    expect(end).toBeInstanceOf(FencedError);
    expect(heldAgainMs).toBeGreaterThan(0);
    expect(heldAgainMs).toBeLessThan(60_000);
    expect(latched()).toBe('latched');
    await until(12 * HOUR_MS);
    expect(latched()).toBe('latched');
    expect(await world.table.newestEpoch()).toBe(3);
  });

  it('stops a failback by itself, and returns its groups, even while no observer may vote', async () => {
    const { end, latched, heldAgainMs, world } = await failBackIntoTheDip({ mode: 'observe' });
    expect(end).toMatchObject({ state: 'failback-taken-back' });
    expect(heldAgainMs).toBeGreaterThan(0);
    expect(heldAgainMs).toBeLessThan(60_000);
    expect(latched()).toBe('latched');
    expect(await world.table.newestEpoch()).toBe(2);
  });

  it('refuses a failback while the first dip lasts', async () => {
    const { world, conductor, until } = await replay();
    await until(HOUR_MS);
    const epoch = await world.table.claimEpoch({ claim: 'operator', who: 'ada', what: 'failback', atMs: 1 });
    const input = { action: 'failback', epoch, owner: 'ada', reason: 'hope' } as const;
    await expect(drive(input, { conductor, clock: world.clock })).rejects.toThrow(/votes: .*recovery: /);
  });
});
