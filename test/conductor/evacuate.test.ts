import { describe, expect, it } from 'vitest';
import { runStep } from '../../lambda/conductor/steps.ts';
import { evacuationSteps, LEASE_MS, SETTLED_MS } from '../../lambda/core/conductor.ts';
import type { CellCapacity } from '../../lambda/core/fitness.ts';
import type { Quorum } from '../../lambda/core/lifecycle.ts';
import { QuorumUnsettledError } from '../../lib/conductor/errors.ts';
import type { ConductorStart } from '../../lib/conductor/input.ts';
import { FencedError, StateUnavailableError } from '../../lib/state/errors.ts';
import { bench, drive, endOf, groupNames, START_MS } from './bench.ts';

const asked = (epoch = 1): Extract<ConductorStart, { action: 'evacuate' }> => ({
  action: 'evacuate',
  trigger: 'asked',
  epoch,
  owner: 'ada',
  reason: 'a test',
});
const whats = (journal: ReadonlyMap<string, { readonly what: string }>): readonly string[] =>
  [...journal.values()].map(({ what }) => what);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const complete = [
  'evacuate begins',
  'refresh',
  'fitness',
  'latch',
  'dns',
  'arrivals',
  'consumers',
  'notify',
  'evacuate ends: latched',
];

describe('an evacuation', () => {
  it('latches every group, in batches, journals each step and gives the lease back', async () => {
    const world = bench(120);
    const state = await drive(asked(), world);
    expect(endOf(state)).toBe('latched');
    expect(state.latched).toBe(120);
    expect(
      [...world.table.switches.values()].every(
        ({ position, epoch }) => position === 'STANDBY' && epoch === 1,
      ),
    ).toBe(true);
    expect(whats(world.table.journal)).toEqual(complete);
    expect(world.table.lease?.untilMs).toBe(0);
    expect(world.told).toHaveLength(1);
    expect(state).toMatchObject({
      report: { run: 'all-1', epoch: 1, action: 'evacuate', state: 'latched', latched: 120, findings: [] },
    });
  });

  it.each(evacuationSteps.map(({ step }) => step))(
    'killed after its step %s and started again ends the same, with one journal and one message',
    async (last) => {
      const world = bench(60);
      await drive(asked(), world, async (step) => (step === last ? 'stop' : 'go on'));
      world.clock.nowMs += 60_000;
      const state = await drive(asked(), world);
      expect(endOf(state)).toBe('latched');
      expect(world.table.switches.size).toBe(60);
      expect(whats(world.table.journal).toSorted()).toEqual(complete.toSorted());
      expect(world.told).toHaveLength(1);
    },
  );

  it('leaves alone what a newer act has set, and says so', async () => {
    const world = bench(3);
    await world.table.setSwitch({
      group: 'g001',
      position: 'PRIMARY',
      epoch: 5,
      owner: 'bob',
      reason: 'mine',
      atMs: 1,
    });
    const state = await drive(asked(2), world);
    expect(world.table.switches.get('g001')).toMatchObject({ position: 'PRIMARY', owner: 'bob' });
    expect(state).toMatchObject({
      latched: 2,
      findings: [expect.stringMatching(/1 groups stay in the primary/)],
    });
  });

  it('asked for by the quorum, is dropped when DNS is back in the primary, and latches nothing', async () => {
    const world = bench(3, { readQuorum: async () => 'primary' });
    const state = await drive({ ...asked(), trigger: 'auto' }, world, async () => {
      world.clock.nowMs += SETTLED_MS;
      return 'go on';
    });
    expect(endOf(state)).toBe('no-longer-wanted');
    expect(world.table.switches.size).toBe(0);
  });

  it('is not called off by one answer with the primary, which may be stale: it asks again, and latches', async () => {
    let quorum: Quorum = 'primary';
    const world = bench(3, { readQuorum: async () => quorum });
    const auto = { ...asked(), trigger: 'auto' as const };
    const state = await drive(auto, world, async () => 'stop');
    for (const waitedMs of [0, 10_000, SETTLED_MS - 20_000]) {
      world.clock.nowMs += waitedMs;
      await expect(runStep({ step: 'refresh', state }, world.conductor)).rejects.toThrow(
        QuorumUnsettledError,
      );
    }
    quorum = 'standby';
    expect(await runStep({ step: 'refresh', state }, world.conductor)).toMatchObject({ next: 'fitness' });
  });

  it('asked for by a person, or for single cells, goes on although DNS is in the primary', async () => {
    for (const trigger of ['asked', 'cells'] as const) {
      const world = bench(3, { readQuorum: async () => 'primary' });
      expect(endOf(await drive({ ...asked(), trigger }, world))).toBe('latched');
    }
  });

  it('does not pin traffic to a standby that is known to fail, unless somebody insists', async () => {
    const broken = {
      readStandbyLevels: async () =>
        ({ kinesisWrite: 'down', kinesisRead: 'up', reachability: 'up' }) as const,
    };
    const world = bench(3, broken);
    await expect(drive(asked(), world)).rejects.toThrow(
      /standby does not work: canary of the standby: writes down/,
    );
    expect(world.table.switches.size).toBe(0);
    expect(endOf(await drive({ ...asked(), force: true }, bench(3, broken)))).toBe('latched');
  });

  it('waits for DNS as long as a cell is answered with the primary', async () => {
    const world = bench(3, { askSignals: async ([cell = '']) => [{ cell, region: 'primary' }] });
    await expect(drive(asked(), world)).rejects.toThrow(/1 of 1 cells: g000 is primary/);
  });

  it('with an idle stream, is as complete as any', async () => {
    const silent = bench(2, {
      readArrivals: async (streams) => ({ seen: [], silent: streams, unknown: [], unreadable: [] }),
    });
    expect(await drive(asked(), silent)).toMatchObject({ state: 'latched', findings: [] });
  });

  it('tells a stream of which it cannot say whether records arrive from a silent one, and is latched all the same', async () => {
    const unsure = bench(1, {
      readArrivals: async ([stream = '']) => ({
        seen: [],
        silent: [],
        unknown: [{ stream, why: '16 of 100 shards were read to their tips, and had none' }],
        unreadable: [],
      }),
    });
    const { state, findings } = await drive(asked(), unsure);
    expect(state).toBe('latched');
    expect(findings).toEqual([
      expect.stringMatching(/^whether records arrive in stream \S+ .* 16 of 100 shards/),
    ]);
    const line = [...unsure.table.journal.values()].find(({ what }) => what === 'arrivals');
    expect(line?.after).toMatchObject({ seen: 0, silent: 0, unknown: [{ why: expect.any(String) }] });
  });

  it('keeps its lease while its batches run, however many there are', async () => {
    const world = bench(120);
    const state = await drive(asked(), world, async (step) => (step === 'fitness' ? 'stop' : 'go on'));
    world.clock.nowMs += LEASE_MS - 1_000;
    await runStep({ step: 'latch', state, batch: { from: 0, to: 50 } }, world.conductor);
    expect(world.table.lease?.untilMs).toBeGreaterThan(world.clock.nowMs + LEASE_MS / 2);
  });

  it('latches only the groups it was asked for', async () => {
    const world = bench(5);
    await drive({ ...asked(), groups: ['g003'] }, world);
    expect([...world.table.switches.keys()]).toEqual(['g003']);
    expect([...world.table.journal.keys()][0]).toBe('g003-1#lease');
  });
});

describe('a run that is not alone', () => {
  it('is fenced by a newer act at its next step, however late it wakes', async () => {
    const world = bench(4);
    const old = await drive(asked(1), world, async (step) => (step === 'refresh' ? 'stop' : 'go on'));
    world.clock.nowMs += 600_000;
    await drive(asked(2), world);
    await expect(runStep({ step: 'fitness', state: old }, world.conductor)).rejects.toThrow(FencedError);
    // The batches take no lease: the epoch of each switch is the fence.
    await runStep({ step: 'latch', state: old, batch: { from: 0, to: 4 } }, world.conductor);
    expect([...world.table.switches.values()].every(({ epoch }) => epoch === 2)).toBe(true);
  });

  it('with another of the same act, ends the same and writes one journal', async () => {
    const world = bench(30);
    const both = await Promise.all([drive(asked(), world), drive(asked(), world)]);
    expect(both.map(endOf)).toEqual(['latched', 'latched']);
    expect(whats(world.table.journal).toSorted()).toEqual(complete.toSorted());
  });

  it('fenced by an act about one group, goes on under a new number, and leaves that group to the act', async () => {
    const world = bench(5);
    const auto = { ...asked(1), trigger: 'auto' as const };
    await drive(auto, world, async (step) => (step === 'refresh' ? 'stop' : 'go on'));
    await drive({ ...asked(2), groups: ['g001'] }, world);
    await world.table.setSwitch({
      ...world.table.switches.get('g001'),
      group: 'g001',
      position: 'PRIMARY',
    } as never);
    await expect(drive(auto, world)).rejects.toThrow(FencedError);
    const state = await drive({ ...auto, epoch: 3, sinceEpoch: 1 }, world);
    expect(state.latched).toBe(4);
    expect(world.table.switches.get('g001')).toMatchObject({ position: 'PRIMARY', epoch: 2 });
  });

  it('takes the lease from an older act at once', async () => {
    const world = bench(2);
    await drive(asked(1), world, async () => 'stop');
    expect(endOf(await drive(asked(2), world))).toBe('latched');
  });
});

describe('a step that cannot finish', () => {
  const error = {
    Error: 'NotLatchedError',
    Cause: JSON.stringify({ errorMessage: '3 groups are not in the standby' }),
  };

  it('leaves a named state and the next command in the journal, and gives the lease back', async () => {
    const world = bench(2);
    const state = await drive(asked(), world, async (step) => (step === 'fitness' ? 'stop' : 'go on'));
    const failed = await runStep({ step: 'fail', state: { ...state, error } }, world.conductor);
    expect(failed).toMatchObject({
      state: 'partly-latched',
      nextCommand: 'spillway failover --all --reason "finish epoch 1"',
      findings: [expect.stringContaining('3 groups are not in the standby')],
      report: { state: 'partly-latched', nextCommand: expect.stringMatching(/^spillway failover/) },
    });
    expect(whats(world.table.journal)).toContain('stopped: partly-latched');
    expect(world.table.lease?.untilMs).toBe(0);
    expect(world.told[0]).toMatchObject({ state: 'partly-latched' });
  });

  it('says so even when it never got the lease', async () => {
    const world = bench(1);
    const failed = await runStep({ step: 'fail', state: { ...asked(), error } }, world.conductor);
    expect(failed).toMatchObject({ state: 'not-started', run: 'all-1' });
  });

  it('that only looks is a finding, and the run goes on', async () => {
    const world = bench(2);
    const state = await drive(asked(), world, async (step) => (step === 'confirm' ? 'stop' : 'go on'));
    const after = await runStep({ step: 'arrivals', state: { ...state, error } }, world.conductor);
    expect(after).toMatchObject({
      next: 'consumers',
      state: 'latched-dns-elsewhere',
      nextCommand: 'spillway status --watch',
    });
    expect(after?.findings[0]).toMatch(/^dns failed: NotLatchedError/);
  });

  it('that fails after another one is a finding: the first has named the end', async () => {
    const world = bench(2);
    const state = await drive(asked(), world, async (step) => (step === 'confirm' ? 'stop' : 'go on'));
    const seen = await runStep({ step: 'arrivals', state: { ...state, error } }, world.conductor);
    const told = await runStep({ step: 'consumers', state: seen }, world.conductor);
    const after = await runStep({ step: 'finish', state: { ...told, error } }, world.conductor);
    expect(after).toMatchObject({
      report: { state: 'latched-dns-elsewhere', findings: [/^dns failed/, /^notify failed/].map(matching) },
    });
  });

  it('gives the lease back although the last line cannot be written, and reports all the same', async () => {
    const world = bench(2);
    const state = await drive(asked(), world, async (step) => (step === 'notify' ? 'stop' : 'go on'));
    const unavailable = async (): Promise<never> => {
      throw new StateUnavailableError('throttled');
    };
    const conductor = { ...world.conductor, state: { ...world.table, journalOnce: unavailable } };
    for (const step of ['finish', 'fail', 'superseded']) {
      world.table.lease = { holder: 'all-1', epoch: 1, untilMs: world.clock.nowMs + 45_000 };
      const released: string[] = [];
      conductor.state.releaseLease = async (holder) => void released.push(holder);
      await expect(runStep({ step, state }, conductor)).rejects.toThrow('throttled');
      expect(released, step).toEqual(['all-1']);
    }
    const end = await runStep({ step: 'unfinished', state: { ...state, error } }, conductor);
    expect(end).toMatchObject({ report: { run: 'all-1', state: 'latched', latched: 2 } });
  });

  it('is superseded, not failed, when a newer act has begun', async () => {
    const world = bench(2);
    const state = await drive(asked(), world, async () => 'stop');
    await drive(asked(2), world);
    const after = await runStep({ step: 'superseded', state }, world.conductor);
    expect(after).toMatchObject({
      report: { state: 'superseded', nextCommand: 'spillway status --watch' },
    });
    expect(world.told.map(({ run }) => run)).toEqual(['all-2']);
  });

  it.each<[string, readonly string[] | undefined, string, RegExp]>([
    ['all', undefined, 'superseded', /^all-2 \(failover by bob, epoch 2\) has begun\. It covers every group/],
    [
      'some',
      ['g000', 'g001', 'g002'],
      'superseded',
      /^some-2 \(failover by bob, epoch 2\).* covers every group/,
    ],
    [
      'some',
      ['g000', 'g002'],
      'superseded-unfinished',
      /covers 1 of 2 groups .*but not 1 .* to be moved: g001$/,
    ],
  ])('hears by whom, and what of its groups: %s %j', async (_name, groups, end, said) => {
    const world = bench(3);
    const input = { ...asked(), groups: ['g000', 'g001'] };
    await world.table.claimEpoch({ claim: 'a', who: 'ana', what: 'failover', atMs: 1 });
    const state = await drive(input, world, async () => 'stop');
    const claimed = groups === undefined ? {} : { groups: [...groups] };
    await world.table.claimEpoch({ claim: 'b', who: 'bob', what: 'failover', atMs: 2, ...claimed });
    await drive({ ...asked(2), ...claimed }, world, async () => 'stop');
    const after = await runStep({ step: 'superseded', state }, world.conductor);
    expect(after).toMatchObject({ report: { state: end, findings: [matching(said)] } });
  });

  it('needs an act when the newer one is about less than that, and says so', async () => {
    const world = bench(5);
    const state = await drive(asked(), world, async () => 'stop');
    await drive({ ...asked(2), groups: ['g001'] }, world, async () => 'stop');
    const after = await runStep({ step: 'superseded', state }, world.conductor);
    expect(after).toMatchObject({
      report: {
        state: 'superseded-unfinished',
        findings: [matching(/but not 4 that were still to be moved: g000, g002/)],
      },
    });
    expect(world.told.map(({ state: end }) => end)).toEqual(['superseded-unfinished']);
  });

  it('has nothing left behind when the newer one, though it has not come to them yet, is about all groups', async () => {
    const world = bench(5);
    const state = await drive(asked(), world, async () => 'stop');
    await drive(asked(2), world, async () => 'stop');
    expect(await runStep({ step: 'superseded', state }, world.conductor)).toMatchObject({
      state: 'superseded',
    });
  });
});

describe('what the survey has stored', () => {
  const peak = { bytesPerSecond: 5_000_000, recordsPerSecond: 900 };
  const small = (cell: string): CellCapacity => ({
    cell,
    surveyedAtMs: START_MS,
    peak,
    standby: { mode: 'provisioned', shards: 1 },
  });

  it('is a finding when the standby is too small for the peak: the run goes on, its end and the journal say it', async () => {
    const world = bench(2);
    world.table.capacities.push(small('g000'));
    const state = await drive(asked(), world);
    const finding = matching(/^g000: peak 5\.0 MB\/s .* the standby stream takes 1\.0 MB\/s/);
    expect(state).toMatchObject({ report: { state: 'latched', latched: 2, findings: [finding] } });
    const fitness = [...world.table.journal.values()].find(({ what }) => what === 'fitness');
    expect(fitness?.after).toEqual({ fit: true, forced: false, findings: [finding] });
  });

  it('of cells that are not moved is none of this run', async () => {
    const world = bench(2);
    world.table.capacities.push(small('g000'), small('gone'));
    expect(await drive({ ...asked(), groups: ['g001'] }, world)).toMatchObject({ report: { findings: [] } });
  });

  it('cannot be read, and stops nothing', async () => {
    const world = bench(2);
    world.table.readCapacities = async () => Promise.reject(new StateUnavailableError('throttled'));
    expect(await drive(asked(), world)).toMatchObject({ report: { state: 'latched', findings: [] } });
  });
});

it('refuses an input that is not one', async () => {
  const { conductor } = bench(1);
  const startedAt = new Date(START_MS).toISOString();
  for (const input of [
    {},
    { ...asked(), epoch: 0 },
    { ...asked(), extra: 1 },
    { ...asked(), groups: ['No Label'] },
  ]) {
    await expect(runStep({ step: 'lease', input, startedAt }, conductor)).rejects.toThrow(/Not an input/);
  }
  expect(groupNames(2)).toEqual(['g000', 'g001']);
});
