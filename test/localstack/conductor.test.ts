import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { evacuationSteps } from '../../lambda/core/conductor.ts';
import type { ConductorStart } from '../../lib/conductor/input.ts';
import { addedGroup, everyGroup, upgradedGroups } from './fixtures/conductor-config.ts';
import { ConductorWorld, runOf } from './fixtures/conductor-world.ts';
import type { Fate, InterceptedCall } from './fixtures/interceptor.ts';

const two = ['cell-0000', 'cell-0002'] as const;
/** Longer than the conductor waits for one call. */
const SILENCE_MS = 4_000;
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
const unavailable: Fate = { status: 500, code: 'InternalServerError' };
const throttled: Fate = { status: 400, code: 'ProvisionedThroughputExceededException' };

let world: ConductorWorld;
beforeAll(async () => {
  world = await ConductorWorld.start();
});
afterEach(() => {
  world.interceptor.rule = () => 'pass';
  world.webhookHangs = false;
});
afterAll(() => world?.close());

async function positions(groups: readonly string[]): Promise<readonly string[]> {
  const switches = await world.switches();
  return groups.map((group) => `${switches.get(group)?.position} ${switches.get(group)?.epoch}`);
}
const held = ({ epoch, groups = [] }: ConductorStart): readonly string[] =>
  groups.map(() => `STANDBY ${epoch}`);

describe(`an evacuation of ${everyGroup.length} groups`, () => {
  let input: ConductorStart;

  it('latches them in less than a minute, says so, and journals each step', async () => {
    input = await world.evacuation('every group');
    const startedMs = Date.now();
    const { status, report } = await world.run(input);
    const journal = await world.journal(input.epoch);
    const latchedMs = (journal.find(({ what }) => what === 'latch')?.atMs ?? Number.NaN) - startedMs;
    console.log(
      `${everyGroup.length} groups latched in ${latchedMs} ms, the whole run took ${Date.now() - startedMs} ms`,
    );
    expect(status).toBe('SUCCEEDED');
    expect(report).toMatchObject({ run: runOf(input), state: 'latched', latched: everyGroup.length });
    expect(await positions(everyGroup)).toEqual(everyGroup.map(() => `STANDBY ${input.epoch}`));
    expect(journal.map(({ what }) => what)).toEqual(complete);
    expect(latchedMs).toBeLessThan(60_000);
    expect(world.told.at(-1)).toMatchObject({
      run: runOf(input),
      state: 'latched',
      latched: everyGroup.length,
    });
    expect((await world.table.readLease())?.untilMs).toBe(0);
  });

  it('is not touched by a deployment; a cell that it adds is latched by the next run of the same act', async () => {
    const before = { switches: await world.switches(), journal: await world.table.history(1_000) };
    const endpoint = await world.switchEndpoint();
    await world.deploy({ upgraded: true });
    expect({ switches: await world.switches(), journal: await world.table.history(1_000) }).toEqual(before);
    // Another address would be another health check.
    expect(await world.switchEndpoint()).toBe(endpoint);
    // As many switches hold as there are groups, but one of them is of a group that is no more.
    expect(await world.latchOf(upgradedGroups)).toBe('partial');
    // That is why the standby's observer starts it again.
    const { report } = await world.run(input, 1);
    expect(report).toMatchObject({ state: 'latched', latched: everyGroup.length });
    expect(await world.latchOf(upgradedGroups)).toBe('latched');
    const after = await world.switches();
    expect(after.get(addedGroup)).toMatchObject({ position: 'STANDBY', epoch: input.epoch });
    expect([...after].filter(([group]) => group !== addedGroup)).toEqual([...before.switches]);
    expect(await world.whats(input.epoch)).toEqual(complete);
  });
});

describe('an evacuation', () => {
  /** The last write of each step; the next call is the one that finds the conductor dead. */
  const isLastOf = (step: string, input: ConductorStart) => {
    let switches = 0;
    return ({ pk, sk, operation }: InterceptedCall): boolean => {
      if (step === 'latch') return pk === 'switch' && operation === 'PutItem' && ++switches === two.length;
      return pk === 'journal' && sk.endsWith(`#${runOf(input)}#${step === 'confirm' ? 'latch' : step}`);
    };
  };

  it('killed after each of its steps and started again ends the same, with one journal and one message', async () => {
    const input = await world.evacuation('killed again and again', two);
    const steps = evacuationSteps.map(({ step }) => step);
    for (const [attempt, step] of steps.entries()) {
      const isLast = isLastOf(step, input);
      const [over, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let isOver = false;
      world.interceptor.rule = async (call) => {
        if (!isOver) {
          isOver = isLast(call);
          return 'pass';
        }
        over.resolve();
        await stopped.promise;
        return unavailable;
      };
      const execution = await world.start(input, attempt);
      await over.promise;
      await world.stop(execution);
      stopped.resolve();
      // LocalStack lets the call under way end first, and calls the execution failed when that fails.
      expect((await world.ended(execution)).status, step).toMatch(/^(ABORTED|FAILED)$/);
    }
    world.interceptor.rule = () => 'pass';
    const { status, report } = await world.run(input, steps.length);
    expect(status).toBe('SUCCEEDED');
    expect(report).toMatchObject({ state: 'latched', latched: 2 });
    expect(await positions(two)).toEqual(held(input));
    expect(await world.whats(input.epoch)).toEqual(complete);
    expect(world.told.filter(({ epoch }) => epoch === input.epoch)).toHaveLength(1);
    expect((await world.table.readLease())?.untilMs).toBe(0);
  });

  it('by the quorum and by an operator at once, each with two conductors: the newer act holds, the older gives way', async () => {
    const [byQuorum, byOperator] = await Promise.all([
      world.evacuation('by the quorum', two).then((input) => ({ ...input, trigger: 'auto' as const })),
      world.evacuation('by an operator', two),
    ]);
    const [older, newer] =
      byQuorum.epoch < byOperator.epoch ? [byQuorum, byOperator] : [byOperator, byQuorum];
    expect(older.epoch).toBeLessThan(newer.epoch);
    const [first, second, ...ofOlder] = await Promise.all([
      world.run(newer, 0),
      world.run(newer, 1),
      world.run(older, 0),
      world.run(older, 1),
    ]);
    expect([first, second].map(({ report }) => report.state)).toEqual(['latched', 'latched']);
    for (const { report } of ofOlder) expect(report.state).toMatch(/^(latched|superseded)$/);
    expect(await positions(two)).toEqual(held(newer));
    expect((await world.whats(newer.epoch)).toSorted()).toEqual(complete.toSorted());
    const ofOlderAct = await world.whats(older.epoch);
    expect(new Set(ofOlderAct).size).toBe(ofOlderAct.length);
  });

  it('that slept while a newer act went by is fenced, in its steps and in its batches', async () => {
    const late = await world.evacuation('the one that sleeps', two);
    const state = await world.step('lease', { input: late, startedAt: new Date().toISOString() });
    const newer = await world.evacuation('the one that acts', two);
    await world.run(newer);
    await expect(world.step('fitness', { state })).rejects.toMatchObject({ name: 'FencedError' });
    await world.step('latch', { state, batch: { from: 0, to: 2 } });
    expect(await positions(two)).toEqual(held(newer));
  });
});

let failback: string;

describe('a failback', () => {
  it('loses against a new impairment: the evacuation takes the lease, and every group is in the standby', async () => {
    const input: ConductorStart = {
      action: 'failback',
      epoch: await world.claim('failback', 'failback'),
      groups: [...two],
      owner: 'ada',
      reason: 'it looks calm',
      force: true,
      percent: 50,
      pauseSeconds: 10,
    };
    failback = await world.start(input);
    await vi.waitFor(async () => expect(await positions(two)).toContain(`PRIMARY ${input.epoch}`), {
      timeout: 60_000,
      interval: 100,
    });
    const dip = await world.evacuation('second dip', two);
    expect((await world.run(dip)).report.state).toBe('latched');
    expect(await positions(two)).toEqual(held(dip));
  });
});

describe('when what the conductor needs fails', () => {
  it('a table that throttles, is silent, then slow, a topic that refuses and a webhook that hangs change no end', async () => {
    world.webhookHangs = true;
    const suffered = { throttled: 0, silent: 0, slow: 0, refused: 0 };
    let startedMs: number | undefined;
    world.interceptor.rule = async ({ operation, pk }) => {
      if (operation === 'Publish') {
        suffered.refused++;
        return unavailable;
      }
      if (pk === '') return 'pass';
      // From the first call on: on a busy machine the conductor takes longer than this to begin.
      startedMs ??= performance.now();
      const sinceMs = performance.now() - startedMs;
      if (sinceMs < 1_500) {
        suffered.throttled++;
        return throttled;
      }
      if (suffered.silent === 0) {
        suffered.silent++;
        await sleep(SILENCE_MS);
        return unavailable;
      }
      suffered.slow++;
      await sleep(30);
      return 'pass';
    };
    const input = await world.evacuation('everything fails', two);
    expect((await world.run(input)).report.state).toBe('latched');
    expect(Math.min(...Object.values(suffered))).toBeGreaterThan(0);
    expect(await positions(two)).toEqual(held(input));
    expect(await world.whats(input.epoch)).toEqual(complete);
    const notify = (await world.journal(input.epoch)).find(({ what }) => what === 'notify');
    expect(notify?.after).toMatchObject({
      untold: [
        expect.stringMatching(/^the topic was not told: /),
        expect.stringMatching(/^the webhook was not told: .*timeout/),
      ],
    });
  });

  it('a table that cannot be read leaves a named state with the next command, and the lease free', async () => {
    world.interceptor.rule = ({ operation }) => (operation === 'Query' ? unavailable : 'pass');
    const input = await world.evacuation('unreadable', two);
    const { status, report } = await world.run(input);
    expect(status).toBe('FAILED');
    expect(report).toMatchObject({
      state: 'not-latched',
      findings: [expect.stringMatching(/^refresh failed: StateUnavailableError/)],
      nextCommand: `spillway failover --cells ${two.join(',')} --reason "finish epoch ${input.epoch}"`,
    });
    expect(await world.whats(input.epoch)).toEqual(['evacuate begins', 'stopped: not-latched', 'notify']);
    expect((await world.table.readLease())?.untilMs).toBe(0);
  });
});

it('a failback that was fenced says so when it wakes from its pause', async () => {
  expect((await world.ended(failback)).report).toMatchObject({
    state: 'superseded',
    nextCommand: 'spillway status --watch',
  });
});
