import { describe, expect, test } from 'vitest';
import type { ControlReading } from '../../lambda/core/control.ts';
import { type ControlAct, changeControl } from '../../lib/operate/control-change.ts';
import { RefusedError } from '../../lib/operate/errors.ts';
import { select } from '../../lib/operate/groups.ts';
import { failoverRefusals, refusalsToFailBack } from '../../lib/operate/guards.ts';
import type { ObserverReadings, ObserverReport } from '../../lib/operate/observers.ts';
import type { Reading } from '../../lib/operate/reading.ts';
import { config, MINUTE_MS, NOW_MS, read, readings, report, unread } from './fixtures/readings.ts';

const rules = (list: readonly { readonly rule: string }[]) => list.map(({ rule }) => rule);
const threeOf = (one: ReturnType<typeof report>) =>
  new Map(['us-west-2', 'us-east-2', 'eu-west-1'].map((region) => [region, read(one)] as const));

const refused = (given: ReturnType<typeof readings>) =>
  refusalsToFailBack(config, given, { cells: ['orders', 'clicks'] });

describe('failover', () => {
  test('goes ahead when an observer sees the standby working, whatever the primary does', () => {
    expect(failoverRefusals(config, threeOf(report({}, { primaryFails: true })))).toEqual([]);
  });

  test('is refused when the standby is impaired', () => {
    expect(rules(failoverRefusals(config, threeOf(report({}, { standbyFails: true }))))).toEqual([
      'standby-unfit',
    ]);
  });

  test('is refused when nobody is known to see the standby working', () => {
    const silent: ObserverReadings = new Map<string, Reading<ObserverReport>>([
      ['us-west-2', unread('no answer')],
      ['eu-west-1', read(report({ fresh: false }))],
    ]);
    expect(rules(failoverRefusals(config, silent))).toEqual(['standby-unknown']);
  });
});

describe('failback', () => {
  test('is let through when K observers have seen the primary healthy for the recovery time', () => {
    expect(refused(readings())).toEqual([]);
  });

  test('is refused while K observers accuse the own stream of a cell that is to return', () => {
    const finding = { kind: 'impaired', sinceMs: NOW_MS, reason: '', refusals: [] } as const;
    const accusing = report({ cells: [{ cell: 'orders', group: 'orders', ...finding }] });
    expect(refused(readings({ observers: threeOf(accusing) }))).toMatchObject([
      { rule: 'streams', reason: expect.stringMatching(/orders/) },
    ]);
    const one = new Map([...threeOf(report()), ['us-east-2', read(accusing)]]);
    expect(refused(readings({ observers: one }))).toEqual([]);
  });

  test('is refused until the recovery time is over, with the time when it will be', () => {
    const observers = threeOf(report({}, { healthyForMs: 5 * MINUTE_MS }));
    expect(refused(readings({ observers }))).toMatchObject([
      { rule: 'recovery', untilMs: NOW_MS + config.policy.recoveryMs - 5 * MINUTE_MS },
    ]);
  });

  test('is refused while as many observers vote to leave as it takes to move', () => {
    const voting = read(report({ liveVote: 'EVACUATE' }));
    const one = new Map(threeOf(report())).set('eu-west-1', voting);
    expect(rules(refused(readings({ observers: one })))).toEqual([]);
    const two = new Map(one).set('us-east-2', voting);
    expect(rules(refused(readings({ observers: two })))).toEqual(['votes']);
  });

  test('is refused when the control item does not answer: it may be a pause', () => {
    expect(rules(refused(readings({ state: { control: unread('gone') } })))).toEqual(['pause']);
  });

  test('does not count an observer whose vote has run out', () => {
    const observers = threeOf(report({ fresh: false }));
    expect(rules(refused(readings({ observers })))).toEqual(['recovery', 'canary']);
  });
});

describe('what an operator says', () => {
  const override = { owner: 'ana', reason: 'load test', untilMs: NOW_MS + MINUTE_MS };
  const change = (
    before: ControlReading,
    act: ControlAct,
    policyMode: 'auto' | 'approve' | 'observe' = 'auto',
  ) => changeControl(before, act, { nowMs: NOW_MS, policyMode });
  const refusal = (...args: Parameters<typeof change>): readonly string[] => {
    try {
      change(...args);
    } catch (error) {
      if (error instanceof RefusedError) return rules(error.refusals);
    }
    return [];
  };

  test('a pause leaves the other overrides as they are', () => {
    const before = { mode: 'approve', approval: override } as const;
    expect(change(before, { kind: 'pause', override }).after).toEqual({ ...before, pause: override });
  });

  test('resume ends pause and maintenance, and keeps the mode', () => {
    const before = { mode: 'observe', pause: override, maintenance: { ...override, fromMs: 0 } } as const;
    expect(change(before, { kind: 'resume', what: 'active' }).after).toEqual({ mode: 'observe' });
  });

  test('resume with nothing to end is refused, also when the pause has run out', () => {
    expect(refusal({}, { kind: 'resume', what: 'active' })).toEqual(['nothing-to-resume']);
    expect(refusal({ pause: { ...override, untilMs: NOW_MS } }, { kind: 'resume', what: 'active' })).toEqual([
      'nothing-to-resume',
    ]);
  });

  test('an item that nobody can read is replaced by resume, and by nothing else', () => {
    expect(refusal('unreadable', { kind: 'pause', override })).toEqual(['unreadable']);
    expect(change('unreadable', { kind: 'resume', what: 'active' }).after).toEqual({});
  });

  describe('of single cells', () => {
    const of = (before: ControlReading, act: ControlAct, cells: readonly string[] | undefined) =>
      changeControl(before, act, {
        nowMs: NOW_MS,
        policyMode: 'auto',
        cells,
        cellModes: new Map([['clicks', 'approve' as const]]),
      }).after;

    test('is kept for them alone, and ended for them alone', () => {
      const paused = of({ pause: override }, { kind: 'pause', override }, ['orders', 'clicks']);
      expect(paused).toEqual({
        pause: override,
        cells: { orders: { pause: override }, clicks: { pause: override } },
      });
      const resumed = of(paused, { kind: 'resume', what: 'active' }, ['orders']);
      expect(resumed).toEqual({ pause: override, cells: { clicks: { pause: override } } });
      expect(of(resumed, { kind: 'resume', what: 'active' }, undefined)).toEqual({
        cells: { clicks: { pause: override } },
      });
      expect(of(resumed, { kind: 'resume', what: 'all' }, undefined)).toEqual({});
      expect(
        of({ cells: { clicks: { pause: override } } }, { kind: 'resume', what: 'active' }, ['clicks']),
      ).toEqual({});
    });

    test('is consent where the mode of the cell asks for it, and refused elsewhere', () => {
      expect(of({}, { kind: 'approve', override }, ['clicks'])).toEqual({
        cells: { clicks: { approval: override } },
      });
      expect(() => of({}, { kind: 'approve', override }, ['orders'])).toThrow(RefusedError);
    });

    test('refuses for all where it refuses for one', () => {
      const before = { cells: { orders: { pause: { ...override, untilMs: NOW_MS + 2 * MINUTE_MS } } } };
      expect(() => of(before, { kind: 'pause', override }, ['clicks', 'orders'])).toThrow(RefusedError);
      expect(() => of({}, { kind: 'resume', what: 'active' }, ['orders'])).toThrow(RefusedError);
    });

    test('takes no room once it has run out, whatever is said next', () => {
      const expired = { ...override, untilMs: NOW_MS };
      const full = Object.fromEntries(
        Array.from({ length: 200 }, (_, n) => [`old-${n}`, { pause: expired }]),
      );
      const pause = { kind: 'pause', override } as const;
      expect(of({ cells: full }, pause, ['orders'])).toEqual({ cells: { orders: { pause: override } } });
      expect(of({ cells: full }, pause, undefined)).toEqual({ pause: override });
      const half = { 'old-1': { pause: expired, approval: override } };
      expect(of({ cells: half }, pause, undefined).cells).toEqual({ 'old-1': { approval: override } });
    });

    test('is named by a resume that was not meant for it', () => {
      const paused = { cells: { orders: { pause: override }, clicks: { approval: override } } };
      const resume = () => of(paused, { kind: 'resume', what: 'active' }, undefined);
      expect(resume).toThrow(/orders.*--cells orders.*--all/);
      expect(resume).not.toThrow(/clicks/);
    });

    test('has a limit', () => {
      const many = Array.from({ length: 201 }, (_, n) => `cell-${n}`);
      expect(() => of({}, { kind: 'pause', override }, many)).toThrow(RefusedError);
    });
  });

  test('consent is refused where it would change nothing', () => {
    expect(refusal({}, { kind: 'approve', override })).toEqual(['mode']);
    expect(change({}, { kind: 'approve', override }, 'approve').after).toEqual({ approval: override });
    expect(change({ mode: 'approve' }, { kind: 'approve', override }).after.approval).toEqual(override);
  });
});

describe('which cells', () => {
  const shared = { ...config, cells: config.cells.map((cell) => ({ ...cell, group: 'both' })) };

  test('a cell carries along those that share its switch, and says so', () => {
    expect(select(shared, { cells: ['orders'] })).toMatchObject({
      cells: ['orders', 'clicks'],
      groups: ['both'],
      carried: ['clicks'],
      everything: true,
    });
  });

  test('a group may be named like a cell', () => {
    expect(select(shared, { cells: ['both'] })).toMatchObject({ cells: ['orders', 'clicks'], carried: [] });
  });

  test('one of several is not everything', () => {
    expect(select(config, { cells: ['clicks'] })).toMatchObject({ groups: ['clicks'], everything: false });
  });

  test('nothing said, both said, or an unknown name is refused', () => {
    expect(() => select(config, {})).toThrow(/--all/);
    expect(() => select(config, { all: true, cells: ['orders'] })).toThrow(/--all/);
    expect(() => select(config, { cells: ['odrers'] })).toThrow(/no cell odrers; there are orders, clicks/);
  });
});
