import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attemptDue,
  conductorSteps,
  evacuationDue,
  executionName,
  LEASE_MS,
  MAX_WAIT_SECONDS,
  nextCommand,
  RESTART_MS,
  runName,
  SETTLED_MS,
  stepNamed,
} from '../../lambda/core/conductor.ts';
import { batchesOf, groupsToLatch, shouldLatch } from '../../lambda/core/conductor-latch.ts';
import { phaseNames } from '../../lambda/core/lifecycle.ts';

const waitsMs = ({ attempts, pauseMs, maxPauseMs } = { attempts: 0, pauseMs: 0, maxPauseMs: 0 }): number =>
  Array.from({ length: attempts }, (_, n) => Math.min(pauseMs * 2 ** n, maxPauseMs)).reduce(
    (a, b) => a + b,
    0,
  );

describe('the table of steps', () => {
  it('has each step once, with a named state and a command to run when it fails', () => {
    expect(new Set(conductorSteps.map(({ step }) => step)).size).toBe(conductorSteps.length);
    for (const { whenItFails } of conductorSteps) {
      expect(whenItFails.state).toMatch(/^[a-z-]+$/);
      expect(nextCommand(whenItFails.nextCommand, { epoch: 7, groups: ['a', 'b'] })).toMatch(
        /^spillway [^{}]+$/,
      );
    }
  });

  it('asks DNS again until it must have settled, before it calls an evacuation off', () => {
    expect(waitsMs(stepNamed('refresh').waitsFor)).toBeGreaterThan(SETTLED_MS);
  });

  it('lets the lease of a dead run end before a failback stops waiting for it', () => {
    expect(waitsMs(stepNamed('lease').waitsFor)).toBeGreaterThan(LEASE_MS);
  });

  it('lets a lease outlive the longest wait and, after it, any step with all its retries', () => {
    for (const { step, timeoutMs, retry } of conductorSteps) {
      const slowestMs = timeoutMs * (retry.attempts + 1) + waitsMs(retry);
      expect(MAX_WAIT_SECONDS * 1_000 + slowestMs, step).toBeLessThanOrEqual(LEASE_MS);
    }
  });

  it('keeps it between two attempts of a step that waits for something', () => {
    for (const { timeoutMs, waitsFor } of conductorSteps) {
      expect(timeoutMs + (waitsFor?.maxPauseMs ?? 0)).toBeLessThan(LEASE_MS);
    }
  });
});

describe('the name of an execution', () => {
  it('fits Step Functions for any label, and tells acts and attempts apart', () => {
    const longest = 'a'.repeat(63);
    expect(executionName(runName([longest], 9_999), 9).length).toBeLessThanOrEqual(80);
    expect(executionName(runName(undefined, 7), 0)).toBe('all-7');
    expect(executionName(runName(['a', 'b'], 7), 2)).toBe('some-7-retry-2');
  });

  it('stays the same for a while, so that starting twice is once, and changes when the first one must have died', () => {
    expect(attemptDue(1_000, 1_000 + RESTART_MS - 1)).toBe(0);
    expect(attemptDue(1_000, 1_000 + RESTART_MS)).toBe(1);
    expect(attemptDue(1_000, 0)).toBe(0);
  });
});

describe('the standby’s observer starts the conductor', () => {
  const sight = { phase: 'evacuating', latch: 'open', quorum: 'standby', voteSinceMs: 1 } as const;

  it('when it votes to leave, DNS has moved, and the switches do not hold', () => {
    for (const latch of ['open', 'partial', 'unknown'] as const)
      expect(evacuationDue({ ...sight, latch })).toBe(true);
    expect(evacuationDue({ ...sight, latch: 'latched' })).toBe(false);
  });

  it('not because DNS alone names the standby, as it does while inverted checks have no data', () => {
    for (const phase of phaseNames.filter((name) => name !== 'evacuating')) {
      expect(evacuationDue({ ...sight, phase })).toBe(false);
    }
    expect(evacuationDue({ ...sight, quorum: 'primary' })).toBe(false);
    expect(evacuationDue({ ...sight, quorum: 'unknown' })).toBe(false);
  });
});

const position = fc.constantFrom('PRIMARY' as const, 'STANDBY' as const);
const switches = fc
  .uniqueArray(fc.integer({ min: 0, max: 20 }), { maxLength: 20 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc.record({ group: fc.constant(`g${id}`), position, epoch: fc.integer({ min: 1, max: 5 }) }),
      ),
    ),
  );
const groups = Array.from({ length: 21 }, (_, n) => `g${n}`);

describe('what is left to latch', () => {
  it('is nothing once it is done, and never a group that a newer act has set', () => {
    fc.assert(
      fc.property(switches, fc.integer({ min: 1, max: 5 }), (known, epoch) => {
        const left = groupsToLatch({ epoch, groups, switches: known });
        for (const one of known) if (one.epoch > epoch) expect(left).not.toContain(one.group);
        const after = [
          ...known.filter(({ group }) => !left.includes(group)),
          ...left.map((group) => ({ group, position: 'STANDBY' as const, epoch })),
        ];
        expect(groupsToLatch({ epoch, groups, switches: after })).toEqual([]);
        for (const one of after) if (one.epoch <= epoch) expect(one.position).toBe('STANDBY');
      }),
    );
  });

  it('is wanted by the quorum only while DNS is not in the primary', () => {
    const question = { epoch: 1, groups, switches: [], settled: true };
    expect(shouldLatch({ ...question, trigger: 'auto', quorum: 'primary' }).verdict).toBe('no-longer-wanted');
    expect(shouldLatch({ ...question, trigger: 'auto', quorum: 'primary', settled: false }).verdict).toBe(
      'unsettled',
    );
    expect(shouldLatch({ ...question, trigger: 'auto', quorum: 'unknown' }).verdict).toBe('latch');
    expect(shouldLatch({ ...question, trigger: 'asked', quorum: 'primary' }).verdict).toBe('latch');
  });

  it('is cut into batches that cover every index once', () => {
    fc.assert(
      fc.property(fc.nat(5_000), fc.integer({ min: 1, max: 100 }), (length, size) => {
        const indices = batchesOf(length, size).flatMap(({ from, to }) => {
          expect(to - from).toBeLessThanOrEqual(size);
          return Array.from({ length: to - from }, (_, n) => from + n);
        });
        expect(indices).toEqual(Array.from({ length }, (_, n) => n));
      }),
    );
  });
});
