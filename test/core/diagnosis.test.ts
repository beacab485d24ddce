import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose, diagnosisCodes, type Sight } from '../../lambda/core/diagnosis.ts';
import { addTick, noEvidence, type RegionOutcomes } from '../../lambda/core/observation.ts';
import type { ErrorClass, ProbeOutcome } from '../../lambda/core/probe.ts';
import { regionsSeen } from '../../lambda/core/regions-seen.ts';
import { noStreamsSeen } from '../../lambda/core/streams.ts';
import { allUp, conditions, gains, levels, policy, regionLevels, wellSeen } from './levels.ts';

const healthy: Sight = { ...wellSeen, recovering: false, accusedCells: 0 };
const everyStreams = [
  noStreamsSeen,
  { watched: 2, well: 2, impaired: 0, suspect: 0 },
  { watched: 2, well: 0, impaired: 2, suspect: 0 },
];

const standbyLevels = ['up', 'down', 'unknown'] as const;

/** Every combination of what the rows look at. Of the blames any number may stand; one at a time is looked at here. */
function* everySight(): Generator<Sight> {
  for (const observer of conditions)
    for (const recovering of [false, true])
      for (const gain of gains)
        for (const severe of [false, true])
          for (const blame of [undefined, ...everyBlame])
            for (const primary of everyPrimary())
              for (const standby of everyStandby())
                for (const streams of everyStreams)
                  for (const accusedCells of [0, 1])
                    yield {
                      ...{ primary, standby, gain, severe, observer, recovering, streams, accusedCells },
                      blames: blame === undefined ? [] : [blame],
                    };
}

const everyBlame = [
  'primary-refuses-access',
  'standby-refuses-access',
  'primary-canary-missing',
  'standby-canary-missing',
  'primary-unclassified',
  'standby-unclassified',
  'observer-in-part',
] as const;
const someLevels = ['up', 'down', 'unknown'] as const;

function* everyPrimary(): Generator<Sight['primary']> {
  for (const kinesisWrite of levels)
    for (const kinesisRead of someLevels)
      for (const reachability of ['up', 'down'] as const)
        for (const minor of [
          {},
          ...(['kinesisErrors', 'kinesisLatency', 'cloudWatch', 'controlPlane', 'sqs'] as const).map(
            (name) => ({ [name]: 'down' }),
          ),
        ])
          yield { ...allUp, kinesisWrite, kinesisRead, reachability, ...minor };
}

function* everyStandby(): Generator<Sight['standby']> {
  for (const kinesisWrite of standbyLevels)
    for (const kinesisRead of standbyLevels)
      for (const reachability of ['up', 'down'] as const)
        for (const partly of [[], ['kinesisWrite', 'kinesisRead']] as const)
          yield { ...allUp, kinesisWrite, kinesisRead, reachability, partly };
}

describe('diagnosis', () => {
  const writeDown = { ...allUp, kinesisWrite: 'down' } as const;
  const weak = { ...writeDown, partly: ['kinesisWrite'] } as const;
  const expected: readonly (readonly [string, Partial<Sight>])[] = [
    ['Healthy', {}],
    ['Healthy', { primary: { ...allUp, kinesisWrite: 'suspect' } }],
    ['KinesisWriteImpaired', { primary: { ...writeDown, kinesisRead: 'down' }, gain: 'large' }],
    ['KinesisWriteImpaired', { primary: writeDown, standby: weak, gain: 'large', severe: true }],
    ['KinesisWriteDegraded', { primary: weak }],
    ['KinesisWriteDegraded', { primary: { ...allUp, kinesisErrors: 'down' } }],
    ['KinesisWriteDegraded', { primary: weak, standby: weak }],
    ['CanaryOnly', { primary: weak, gain: 'one-shard' }],
    ['KinesisReadImpaired', { primary: { ...allUp, kinesisRead: 'down' } }],
    ['CloudWatchBlind', { primary: { ...allUp, cloudWatch: 'down', controlPlane: 'down' } }],
    ['LatencyDegraded', { primary: { ...allUp, kinesisLatency: 'down', cloudWatch: 'down' } }],
    ['SiblingServicesOnly', { primary: { ...allUp, sqs: 'down' } }],
    ['Recovering', { recovering: true }],
    ['CloudWatchBlind', { recovering: true, primary: { ...allUp, cloudWatch: 'down' } }],
    ['BothImpaired', { primary: writeDown, standby: { ...allUp, kinesisRead: 'down' }, gain: 'large' }],
    ['BothImpaired', { primary: writeDown, standby: weak, severe: true }],
    ['ControlPlaneOnly', { primary: { ...allUp, controlPlane: 'down' } }],
    ['RegionUnreachable', { primary: { ...writeDown, reachability: 'down' }, gain: 'large' }],
    ['StandbyUnfit', { standby: writeDown }],
    ['StandbyUnknown', { primary: writeDown, standby: { ...allUp, kinesisRead: 'unknown' }, gain: 'large' }],
    ['StandbyDegraded', { standby: weak }],
    ['StandbyDegraded', { blames: ['standby-refuses-access'] }],
    ['ClockSuspect', { observer: 'clock-suspect', primary: writeDown, gain: 'large' }],
    ['ObserverSick', { observer: 'self-inflicted-errors', primary: writeDown, gain: 'large' }],
    [
      'ObserverSick',
      { primary: { ...allUp, reachability: 'down' }, standby: { ...allUp, reachability: 'down' } },
    ],
    ['PrimaryRefusesAccess', { blames: ['primary-refuses-access'] }],
    ['KinesisWriteImpaired', { blames: ['primary-refuses-access'], primary: writeDown, gain: 'large' }],
    ['CanaryMissing', { blames: ['primary-canary-missing'], primary: { ...allUp, kinesisWrite: 'unknown' } }],
    ['StandbyUnfit', { blames: ['standby-canary-missing'] }],
    ['ProbesRefused', { blames: ['observer-in-part'] }],
    ['ProbesRefused', { blames: ['primary-unclassified'] }],
    [
      'PrimaryRefusesAccess',
      { blames: ['primary-unclassified'], primary: { ...allUp, kinesisWrite: 'unknown' } },
    ],
    [
      'KinesisWriteImpaired',
      {
        blames: ['standby-refuses-access'],
        primary: writeDown,
        standby: { ...allUp, kinesisRead: 'unknown' },
        gain: 'large',
      },
    ],
    ['Undetermined', { primary: { ...allUp, kinesisWrite: 'unknown' } }],
  ];
  for (const [code, change] of expected) {
    it(`says ${code} for ${JSON.stringify(change)}`, () => {
      expect(diagnose({ ...healthy, ...change }).code).toBe(code);
    });
  }

  it('has a row for every combination of what it looks at, and reaches every row', () => {
    const reached = new Set<string>();
    for (const sight of everySight()) reached.add(diagnose(sight).code);
    expect([...reached].sort()).toEqual([...diagnosisCodes].sort());
  });

  it('is never actionable unless the gain is large, and the standby takes and returns records', () => {
    const sight = fc.record({
      primary: regionLevels,
      standby: regionLevels,
      gain: fc.constantFrom(...gains),
      severe: fc.boolean(),
      blames: fc.subarray([...everyBlame]),
      observer: fc.constantFrom(...conditions),
      recovering: fc.boolean(),
      streams: fc.constantFrom(...everyStreams),
      accusedCells: fc.nat(2),
    });
    let actionable = 0;
    fc.assert(
      fc.property(sight, (seen) => {
        if (!diagnose(seen).actionable) return;
        actionable++;
        expect(seen.observer).toBe('sound');
        if (seen.streams.impaired === 0)
          expect([seen.primary.kinesisWrite, seen.gain]).toEqual(['down', 'large']);
        const { kinesisWrite, kinesisRead, partly } = seen.standby;
        expect(kinesisWrite).not.toBe('unknown');
        if (kinesisWrite !== 'up') expect(partly).toContain('kinesisWrite');
        // Reads may be refused to this observer, while the standby takes its records.
        if (kinesisRead === 'unknown') expect(seen.blames).not.toEqual([]);
        else if (kinesisRead !== 'up') expect(partly).toContain('kinesisRead');
      }),
      { numRuns: 5_000 },
    );
    expect(actionable).toBeGreaterThan(0);
  });
});

describe('what an observer makes of its probes', () => {
  const ok: readonly ProbeOutcome[] = [{ ok: true, latencyMs: 10 }];
  const failed = (errorClass: ErrorClass): readonly ProbeOutcome[] =>
    Array.from({ length: policy.putsPerRound }, () => ({ ok: false, latencyMs: 10, errorClass, detail: '' }));
  const fine: RegionOutcomes = {
    kinesisWrite: Array(policy.putsPerRound).fill(ok[0]),
    kinesisRead: ok,
    reachability: ok,
    cloudWatch: ok,
    controlPlane: ok,
  };

  function diagnosisAfter(
    ticks: number,
    primary: RegionOutcomes,
    { clockStepMs = 0, standby = fine }: { clockStepMs?: number; standby?: RegionOutcomes } = {},
  ) {
    let evidence = noEvidence;
    for (let n = 1; n <= ticks; n++) {
      const warm = n <= 3 ? fine : primary;
      evidence = addTick(
        evidence,
        { atMs: n * policy.tickMs, ticks: n, primary: warm, standby: n <= 3 ? fine : standby, clockStepMs },
        policy,
      );
    }
    const nowMs = ticks * policy.tickMs;
    return diagnose({ ...regionsSeen(evidence, policy, nowMs), recovering: false, accusedCells: 0 }).code;
  }

  it('blames Kinesis when Kinesis errs and the rest answers', () => {
    const primary = { ...fine, kinesisWrite: failed('server'), kinesisRead: failed('server') };
    expect(diagnosisAfter(9, primary)).toBe('KinesisWriteImpaired');
  });

  it('calls the region unreachable only when nothing in it answers', () => {
    const silent = {
      kinesisWrite: failed('timeout'),
      kinesisRead: failed('timeout'),
      reachability: failed('timeout'),
    };
    expect(diagnosisAfter(9, silent)).toBe('RegionUnreachable');
    expect(diagnosisAfter(9, { ...silent, kinesisWrite: failed('server') })).toBe('KinesisWriteImpaired');
  });

  it('blames nobody for throttling', () => {
    expect(diagnosisAfter(40, { ...fine, kinesisWrite: failed('throttled') })).toBe('Undetermined');
  });

  it('blames itself for a clock that steps', () => {
    expect(diagnosisAfter(6, fine, { clockStepMs: 5_000 })).toBe('ClockSuspect');
    expect(diagnosisAfter(6, fine, { clockStepMs: -5_000 })).toBe('ClockSuspect');
    expect(diagnosisAfter(6, fine, { clockStepMs: 200 })).toBe('Healthy');
  });

  const errors = (errorClass: ErrorClass): RegionOutcomes => ({
    ...fine,
    kinesisWrite: failed(errorClass),
    kinesisRead: failed(errorClass),
  });
  it.each([
    ['access', 'PrimaryRefusesAccess', 'ObserverSick'],
    ['clock', 'PrimaryRefusesAccess', 'ObserverSick'],
    ['missing', 'CanaryMissing', 'ObserverSick'],
    ['validation', 'PrimaryRefusesAccess', 'ObserverSick'],
    ['unclassified', 'PrimaryRefusesAccess', 'ObserverSick'],
  ] as const)('takes %s errors of the primary alone for %s, and of both for %s', (name, alone, both) => {
    expect(diagnosisAfter(9, errors(name))).toBe(alone);
    expect(diagnosisAfter(9, errors(name), { standby: errors(name) })).toBe(both);
    // The standby's own troubles never make this observer sick; it says whose they are.
    expect(diagnosisAfter(9, fine, { standby: errors(name) })).toMatch(/^Standby(?:Degraded|Unfit)$/);
  });

  it.each(['access', 'validation', 'unclassified'] as const)(
    'leaves a dead primary although the standby, which takes its puts, answers its reads with %s errors',
    (errorClass) => {
      const primary = { ...fine, kinesisWrite: failed('server'), kinesisRead: failed('server') };
      const standby = {
        ...fine,
        kinesisRead: [{ ok: false, latencyMs: 10, errorClass, detail: '' }] as const,
      };
      expect(diagnosisAfter(12, primary, { standby })).toBe('KinesisWriteImpaired');
    },
  );

  it('counts the errors of slow probes by the rounds in which they are made', () => {
    const refused: ProbeOutcome = { ok: false, latencyMs: 10, errorClass: 'access', detail: '' };
    const { cloudWatch: _, controlPlane: __, ...fast } = fine;
    let evidence = noEvidence;
    for (let n = 1; n <= 3 * policy.slowProbeEveryTicks; n++) {
      const isSlow = n % policy.slowProbeEveryTicks === 0;
      const primary = isSlow ? { ...fine, cloudWatch: [refused] } : fast;
      const round = { primary, standby: isSlow ? fine : fast, clockStepMs: 0 };
      evidence = addTick(evidence, { ...round, atMs: n * policy.tickMs, ticks: n }, policy);
    }
    const nowMs = 3 * policy.slowProbeEveryTicks * policy.tickMs;
    expect(regionsSeen(evidence, policy, nowMs).blames).toEqual(['primary-refuses-access']);
  });

  it.each(['access', 'clock', 'missing', 'validation', 'unclassified'] as const)(
    'is not silenced by %s errors of another service beside writes that fail',
    (errorClass) => {
      const primary = {
        ...fine,
        kinesisWrite: failed('server'),
        kinesisRead: failed('server'),
        reachability: [{ ok: false, latencyMs: 10, errorClass, detail: '' }] as const,
      };
      expect(diagnosisAfter(9, primary)).toBe('KinesisWriteImpaired');
    },
  );
});
