import fc from 'fast-check';
import { createColors } from 'picocolors';
import { describe, expect, test } from 'vitest';
import { statusScreen } from '../../lib/cli/screens/status.ts';
import type { CallFailure } from '../../lib/credentials/failure.ts';
import { verdictOf } from '../../lib/credentials/verdict.ts';
import { statusOf } from '../../lib/operate/status.ts';
import type { Readings } from '../../lib/operate/stored-readings.ts';
import { config, read, readings, report, unread } from './fixtures/readings.ts';

const failures: readonly CallFailure[] = [
  { kind: 'credentials', problem: 'expired' },
  { kind: 'denied', action: 'dynamodb:GetItem' },
  { kind: 'missing' },
  { kind: 'silent' },
  { kind: 'other' },
];
const stateKeys = [
  ...(['control', 'switches', 'lease', 'epoch', 'journal'] as const),
  ...(['capacities', 'consumers', 'drill'] as const),
] as const;
const regions = ['us-west-2', 'us-east-2', 'eu-west-1'] as const;
/** Of each thing that is asked: which failure, or that it was read. */
const outcome = fc.constantFrom<CallFailure | undefined>(undefined, undefined, ...failures);
const world = fc.record({
  state: fc.array(outcome, { minLength: stateKeys.length, maxLength: stateKeys.length }),
  observers: fc.array(outcome, { minLength: regions.length, maxLength: regions.length }),
  stale: fc.boolean(),
});

function readingsOf({
  state,
  observers,
  stale,
}: typeof world extends fc.Arbitrary<infer W> ? W : never): Readings {
  const healthy = readings();
  const change = stateKeys.map((key, n) => {
    const failure = state[n];
    return [key, failure === undefined ? healthy.state[key] : unread(`no ${key}`, failure)] as const;
  });
  const votes = regions.map((region, n) => {
    const failure = observers[n];
    return [
      region,
      failure === undefined ? read(report({ fresh: !stale })) : unread('no vote', failure),
    ] as const;
  });
  return {
    ...healthy,
    observers: new Map(votes),
    state: Object.fromEntries(change) as unknown as Readings['state'],
    credentials: verdictOf([...state, ...observers], { keysInEnvironment: false }),
  };
}

const screenOf = (status: ReturnType<typeof statusOf>) =>
  statusScreen(status, { colors: createColors(false), columns: 200 });

describe('whatever is not known', () => {
  test('is null, and nothing on the screen claims it; what is known is shown all the same', () => {
    fc.assert(
      fc.property(world, (given) => {
        const all = readingsOf(given);
        const status = statusOf(config, all);
        const text = screenOf(status);
        const { control, switches, lease, journal, epoch } = all.state;
        expect(status.overrides === null).toBe(!control.ok);
        expect(text.includes('no override is in force')).toBe(control.ok);
        expect(text).not.toContain('pause');
        expect(status.lease === null).toBe(!lease.ok);
        expect(text.includes('lease free')).toBe(lease.ok);
        expect(status.lastDrill === null).toBe(!journal.ok);
        expect(status.epoch === null).toBe(!epoch.ok);
        if (switches.ok) expect(status.failback).toBe('none');
        if (switches.ok || status.credentials.ok === false) expect(text).not.toContain('failback');
        const unreadParts = [...given.state, ...given.observers].filter((failure) => failure !== undefined);
        if (unreadParts.length > 0) expect(status.findings).not.toEqual([]);
      }),
    );
  });

  test('never advises to move traffic, nor says how many vote when that is not known', () => {
    fc.assert(
      fc.property(world, (given) => {
        const status = statusOf(config, readingsOf(given));
        expect(status.findings.map(({ run = '' }) => run).join()).not.toMatch(/failover|failback/);
        const unknown = given.observers.filter((failure) => failure !== undefined).length;
        const texts = status.findings.map(({ text }) => text).join('\n');
        const live = given.stale ? 0 : regions.length - unknown;
        const isCertain = live + unknown < config.policy.votesToEvacuate;
        expect(/\d of 3 observers have a live vote/.test(texts)).toBe(isCertain);
      }),
    );
  });

  test('is said once for who asks, and besides for every region that is silent', () => {
    fc.assert(
      fc.property(world, (given) => {
        const { credentials, findings } = statusOf(config, readingsOf(given));
        const ofAsker = findings.filter(({ text }) => text.startsWith('your credentials: '));
        expect(ofAsker).toHaveLength(credentials.ok === false ? 1 : 0);
        if (credentials.ok === false) {
          expect(findings.map(({ text }) => text).join()).not.toMatch(
            /denied on|does not take|there is no table/,
          );
        }
        for (const [n, region] of regions.entries()) {
          if (given.observers[n]?.kind !== 'silent') continue;
          expect(findings).toContainEqual({ level: 'bad', text: `observer ${region}: no vote` });
        }
      }),
    );
  });

  test('of a newer act leaves the advice of the last run out: it may be over', () => {
    const end = {
      run: 'all-3',
      epoch: 3,
      state: 'released-dns-elsewhere',
      findings: [],
      nextCommand: 'spillway failover --all',
    };
    const journal = read([{ atMs: 1, who: 'conductor', what: 'stopped: release', why: 'x', after: end }]);
    const known = statusOf(config, readings({ state: { journal } })).findings;
    expect(known).toContainEqual(expect.objectContaining({ level: 'bad', run: 'spillway failover --all' }));
    const epoch = unread('denied', { kind: 'denied' });
    const { findings } = statusOf(config, readings({ state: { journal, epoch } }));
    expect(findings.find(({ text }) => text.startsWith('the last run'))).toEqual({
      level: 'note',
      text: 'the last run (all-3) ended as released-dns-elsewhere; whether a newer act has begun is not known',
    });
  });
});

describe('observers that all have stopped', () => {
  const votes = (change: Parameters<typeof report>[0]) => {
    const stale = report({ fresh: false });
    return new Map([
      ['us-west-2', read(report(change))],
      ['us-east-2', read(stale)],
      ['eu-west-1', read(stale)],
    ]);
  };
  const advice = (observers: Readings['observers']) =>
    statusOf(config, readings({ observers })).findings.find(({ text }) => text.includes('have a live vote'));

  test('are no reason to move while nobody finds the primary ill', () => {
    expect(advice(votes({}))).toMatchObject({
      text: expect.stringMatching(/^1 of 3/),
      run: 'spillway doctor',
    });
  });

  test('are one when the last that looks does', () => {
    const ill = { vote: 'EVACUATE', liveVote: 'EVACUATE', diagnosis: 'KinesisWriteImpaired' } as const;
    expect(advice(votes(ill))?.run).toMatch(/^spillway failover --all/);
  });
});
