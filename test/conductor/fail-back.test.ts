import { describe, expect, it } from 'vitest';
import type { Conductor } from '../../lambda/conductor/conductor.ts';
import { newRun } from '../../lambda/conductor/run-state.ts';
import { runStep } from '../../lambda/conductor/steps.ts';
import { MAX_WAIT_SECONDS } from '../../lambda/core/conductor.ts';
import type { ObserverReport } from '../../lambda/core/conductor-observers.ts';
import type { Lease } from '../../lambda/core/lease.ts';
import { FailbackRefusedError } from '../../lib/conductor/errors.ts';
import type { ConductorStart } from '../../lib/conductor/input.ts';
import { latchDirectly } from '../../lib/operate/direct.ts';
import { FencedError, LeaseHeldError } from '../../lib/state/errors.ts';
import { type Bench, bench, drive, endOf, groupNames } from './bench.ts';
import type { MemoryTable } from './memory-table.ts';

const regions = ['us-west-2', 'us-east-2', 'eu-west-1'];
const healthy = (nowMs: number): readonly ObserverReport[] =>
  regions.map((region) => ({
    region,
    fresh: true,
    vote: 'HOLD',
    diagnosis: 'Healthy',
    decidedAtMs: nowMs,
    healthySinceMs: nowMs - 3_600_000,
  }));
const accusing = (nowMs: number, accusers = 2): readonly ObserverReport[] =>
  healthy(nowMs).map((report, n) =>
    n > 0 && n <= accusers ? { ...report, vote: 'EVACUATE', diagnosis: 'KinesisWriteImpaired' } : report,
  );
const failback = (epoch: number, more: Partial<ConductorStart> = {}): ConductorStart =>
  ({
    action: 'failback',
    epoch,
    owner: 'ada',
    reason: 'it has recovered',
    percent: 100,
    pauseSeconds: 30,
    ...more,
  }) as ConductorStart;

/** Ten groups in the standby since epoch 1; the clock moves by ten seconds at each look. */
async function evacuated(
  readReports: (world: Bench) => readonly ObserverReport[],
  changes: Partial<Conductor> = {},
) {
  const world: Bench = bench(10, {
    readReports: async () => {
      world.clock.nowMs += 10_000;
      return readReports(world);
    },
    ...changes,
  });
  const claim = (name: string) => world.table.claimEpoch({ claim: name, who: 'ada', what: '', atMs: 1 });
  const epoch = await claim('evacuation');
  await drive({ action: 'evacuate', trigger: 'asked', epoch, owner: 'ada', reason: 'outage' }, world);
  world.clock.nowMs += 3_600_000;
  return { world, epoch: await claim('failback') };
}
const inPrimary = ({ table }: Bench): number =>
  [...table.switches.values()].filter(({ position }) => position === 'PRIMARY').length;
const whats = ({ table }: Bench): readonly string[] => [...table.journal.values()].map(({ what }) => what);

describe('a failback', () => {
  it('goes stage by stage, and waits between them', async () => {
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs));
    const released: number[] = [];
    const startedMs = world.clock.nowMs;
    const state = await drive(failback(epoch, { percent: 30 }), world, async (step) => {
      if (step === 'release') released.push(inPrimary(world));
      return 'go on';
    });
    expect(released).toEqual([3, 6, 9, 10]);
    expect(endOf(state)).toBe('failed-back');
    expect(world.clock.nowMs - startedMs).toBeGreaterThanOrEqual(4 * 30_000);
    expect(world.table.lease?.untilMs).toBe(0);
  });

  it('says when DNS followed, stage by stage and while it still watches, whatever the pause is', async () => {
    let follows = false;
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs), {
      askSignals: async (cells) =>
        cells.map((cell) => ({ cell, region: follows ? ('primary' as const) : ('standby' as const) })),
    });
    follows = false;
    let looks = 0;
    let releasedAtMs = 0;
    const state = await drive(failback(epoch, { pauseSeconds: 300 }), world, async (step) => {
      if (step === 'release') releasedAtMs = world.clock.nowMs;
      if (step === 'watch') follows = ++looks >= 3;
      return 'go on';
    });
    expect(endOf(state)).toBe('failed-back');
    const line = world.table.journal.get(`all-${epoch}#dns-0`);
    expect(line).toMatchObject({ what: 'dns', after: { stage: 0, primary: 10 } });
    expect(state.dnsAtMs).toBe(line?.atMs);
    expect((state.dnsAtMs ?? 0) - releasedAtMs).toBeLessThan(60_000);
    expect(world.clock.nowMs - releasedAtMs).toBeGreaterThanOrEqual(300_000);
  });

  it('is refused with every reason while K observers vote to leave, and moves nothing', async () => {
    const { world, epoch } = await evacuated(({ clock }) => accusing(clock.nowMs));
    await expect(drive(failback(epoch), world)).rejects.toThrow(
      /Refused\. votes: EVACUATE votes come from us-east-2, eu-west-1/,
    );
    expect(inPrimary(world)).toBe(0);
  });

  it('is refused while the survey knows of a primary too small for its cell, and not for the other cells', async () => {
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs));
    world.table.capacities.push({
      cell: 'g003',
      surveyedAtMs: world.clock.nowMs,
      peak: { bytesPerSecond: 5_000_000, recordsPerSecond: 900 },
      primary: { mode: 'provisioned', shards: 2 },
    });
    await expect(drive(failback(epoch), world)).rejects.toThrow(
      /Refused\. capacity: g003: peak 5\.0 MB\/s .* the primary stream takes 2\.0 MB\/s/,
    );
    expect(inPrimary(world)).toBe(0);
    world.clock.nowMs += 60_000;
    const state = await drive(failback(epoch, { groups: ['g004'] }), world);
    expect([endOf(state), inPrimary(world)]).toEqual(['failed-back', 1]);
  });

  it('that is refused takes no lease, which would fence the evacuation, and is called refused', async () => {
    const { world, epoch } = await evacuated(({ clock }) => accusing(clock.nowMs));
    const before = world.table.lease;
    await expect(drive(failback(epoch), world)).rejects.toThrow(FailbackRefusedError);
    expect(world.table.lease).toEqual(before);
    const error = { Error: 'FailbackRefusedError', Cause: 'votes' };
    const input = { ...failback(epoch), error };
    expect(await runStep({ step: 'fail', state: input }, world.conductor)).toMatchObject({
      state: 'failback-refused',
    });
    const unread = {
      ...newRun(failback(epoch), world.clock.nowMs),
      next: 'failback-guards',
      error: { Error: 'StateUnavailableError', Cause: 'no answer' },
    };
    expect(await runStep({ step: 'fail', state: unread }, world.conductor)).toMatchObject({
      state: 'not-started',
    });
    await drive({ action: 'evacuate', trigger: 'auto', epoch: 1, owner: 'o', reason: 'goes on' }, world);
  });

  it('by force, goes on all the same, and the journal says so', async () => {
    const { world, epoch } = await evacuated(() => [], {});
    await drive(failback(epoch, { force: true }), world, async (step) =>
      step === 'release' ? 'stop' : 'go on',
    );
    expect(inPrimary(world)).toBe(10);
    expect(world.table.journal.get(`all-${epoch}#guards`)?.after).toMatchObject({ forced: true });
  });

  it('returns what it has released when the primary degrades again, and stops', async () => {
    let looks = 0;
    const { world, epoch } = await evacuated(({ clock }) => (looks++ < 3 ? healthy : accusing)(clock.nowMs));
    const state = await drive(failback(epoch, { percent: 50 }), world);
    expect(endOf(state)).toBe('failback-taken-back');
    expect(inPrimary(world)).toBe(0);
    expect(state.findings[0]).toMatch(/us-east-2 sees KinesisWriteImpaired.*; eu-west-1 sees/);
    expect(whats(world)).toContain('take back');
  });

  it('waits for an observer that accuses the primary alone, and then goes on: it may be cut off', async () => {
    const { world, epoch } = await evacuated(({ clock }) => accusing(clock.nowMs, 1));
    const startedMs = world.clock.nowMs;
    const state = await drive(failback(epoch, { percent: 50 }), world);
    expect(endOf(state)).toBe('failed-back');
    expect(inPrimary(world)).toBe(10);
    expect(state.findings).toEqual([expect.stringMatching(/^goes on against .*us-east-2 sees/)]);
    expect(world.clock.nowMs - startedMs).toBeGreaterThan(300_000);
  });

  const direct = (world: Bench, table: MemoryTable = world.table) =>
    latchDirectly({
      table: { ...table, journal: async () => {} },
      groups: groupNames(10),
      everything: true,
      owner: 'bob',
      reason: 'break glass',
      atMs: world.clock.nowMs,
      id: 'direct',
    });

  it('is fenced by `failover --direct` at its next step, however long its lease had to run', async () => {
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs));
    const running = drive(failback(epoch, { percent: 20 }), world, async (step, { stage }) => {
      if (step !== 'release' || stage !== 1) return 'go on';
      world.table.lease = { ...(world.table.lease as Lease), untilMs: Number.MAX_SAFE_INTEGER };
      // The method writes to the table it is called on.
      const takeLease: MemoryTable['takeLease'] = (...args) => world.table.takeLease(...args);
      await direct(world, { ...world.table, takeLease });
      return 'go on';
    });
    await expect(running).rejects.toThrow(FencedError);
    expect(inPrimary(world)).toBe(0);
    expect(world.table.lease).toMatchObject({ epoch: 3, untilMs: 0 });
  });

  it.each([0, 4])(
    'does not claim that what `failover --direct` has taken in stage %i is back, even if that could not fence it',
    async (at) => {
      const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs));
      const unfenced = { ...world.table, takeLease: () => Promise.reject(new Error('throttled')) };
      const state = await drive(failback(epoch, { percent: 20 }), world, async (step, { stage }) => {
        if (step === 'release' && stage === at) await direct(world, unfenced);
        return 'go on';
      });
      expect(inPrimary(world)).toBe(0);
      expect(state).toMatchObject({
        report: {
          state: 'superseded',
          latched: 10,
          findings: [expect.stringMatching(/^10 groups are in the standby/)],
        },
      });
    },
  );

  it('in many long stages looks twice a minute at least, and the lease outlives each pause', async () => {
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs));
    const input = failback(epoch, { percent: 10, pauseSeconds: 3_600 });
    const state = await drive(input, world, async (step) => (step === 'failback-guards' ? 'stop' : 'go on'));
    expect(state.waitSeconds).toBe(20);
    const { untilMs } = world.table.lease as Lease;
    expect(untilMs - world.clock.nowMs).toBeGreaterThan(MAX_WAIT_SECONDS * 1_000);
  });

  it('that no run could watch to its end is refused, by force as well, with the way out', async () => {
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs));
    const input = failback(epoch, { percent: 5, pauseSeconds: 3_600, force: true });
    await expect(drive(input, world)).rejects.toThrow(
      /length: 20 stages of 3600 s take 20 h, and a run can watch for 15 h: ask for fewer stages/,
    );
    expect(world.table.lease?.epoch).toBe(1);
  });

  it('begins the next stage when DNS has followed, and not before', async () => {
    let follows = false;
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs), {
      askSignals: async (cells) => cells.map((cell) => ({ cell, region: follows ? 'primary' : 'standby' })),
    });
    let looks = 0;
    const state = await drive(failback(epoch, { percent: 50 }), world, async (step, { stage }) => {
      if (step === 'watch' && stage === 0) looks++;
      follows ||= looks === 8;
      return 'go on';
    });
    expect(endOf(state)).toBe('failed-back');
    expect(looks).toBeGreaterThanOrEqual(8);
  });

  it('ends in a named state, with what to run, when DNS does not follow what was released', async () => {
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs), {
      askSignals: async (cells) => cells.map((cell) => ({ cell, region: 'standby' })),
    });
    const state = await drive(failback(epoch, { percent: 50 }), world);
    expect(state).toMatchObject({
      report: {
        state: 'released-dns-elsewhere',
        latched: 5,
        nextCommand: 'spillway status --watch; spillway doctor',
        findings: [expect.stringMatching(/primary for 5 of 5 cells: g000 is standby/)],
      },
    });
    expect(inPrimary(world)).toBe(5);
    expect(world.told.at(-1)?.state).toBe('released-dns-elsewhere');
  });

  it('killed in the middle of a stage, releases no more than that stage when it is started again', async () => {
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs));
    const input = failback(epoch, { percent: 20 });
    await drive(input, world, async (step) => (step === 'release' ? 'stop' : 'go on'));
    await drive(input, world, async (step) => (step === 'release' ? 'stop' : 'go on'));
    expect(inPrimary(world)).toBe(2);
  });

  it('neither goes on nor returns while the observers are silent, and ends in a named state', async () => {
    let looks = 0;
    const { world, epoch } = await evacuated(({ clock }) => (looks++ < 2 ? healthy(clock.nowMs) : []));
    const state = await drive(failback(epoch, { percent: 50 }), world);
    expect(endOf(state)).toBe('partly-failed-back');
    expect(inPrimary(world)).toBe(5);
  });

  it('waits for the lease of an act that runs, which an evacuation does not', async () => {
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs));
    world.table.lease = { holder: 'all-1', epoch: 1, untilMs: world.clock.nowMs + 40_000 };
    await expect(drive(failback(epoch), world)).rejects.toThrow(LeaseHeldError);
  });

  it('racing a new impairment loses: the evacuation fences it, and every group ends in the standby', async () => {
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs));
    const running = drive(failback(epoch, { percent: 10 }), world, async (step, state) => {
      if (step !== 'release' || state.stage !== 3) return 'go on';
      const newer = await world.table.claimEpoch({ claim: 'dip', who: 'observer', what: '', atMs: 1 });
      await drive(
        { action: 'evacuate', trigger: 'auto', epoch: newer, owner: 'observer', reason: 'again' },
        world,
      );
      return 'go on';
    });
    await expect(running).rejects.toThrow('all-3');
    expect(inPrimary(world)).toBe(0);
  });

  it('waits for a drain that it was asked to wait for', async () => {
    const { world, epoch } = await evacuated(({ clock }) => healthy(clock.nowMs));
    await expect(drive(failback(epoch, { afterDrain: true }), world)).rejects.toThrow(
      /drain: records of g000 are not drained, nor of 9 more/,
    );
  });
});
