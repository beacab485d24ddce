import { expect, test } from 'vitest';
import { failingRoundsToVote, rtoBudget } from '../../lib/config/budget.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { leastInput } from './inputs.ts';

const { policy, delivery } = parseConfig(leastInput, 'spillway.config.json');

test('adds up the path from the failure to the last producer', () => {
  expect(failingRoundsToVote(policy)).toBe(3);
  const { parts, totalMs } = rtoBudget(policy, delivery);
  expect(parts.map(({ part, ms }) => [part, ms])).toEqual([
    ['evidence', 3 * 5_000 + 2 * 2_000],
    ['seam', 5_000],
    ['hold', 0],
    ['vote checks', 10_000],
    ['dns propagation', 5_000],
    ['dns ttl', 5_000],
    ['producer poll', 2_000],
  ]);
  expect(totalMs).toBe(46_000);
});

test('a stricter budget of false alarms costs detection time', () => {
  const few = { ...policy, putsPerRound: 2 };
  const strict = rtoBudget({ ...few, falseAlarmsPerYear: 0.000_000_01 }, delivery);
  expect(strict.totalMs).toBe(rtoBudget(policy, delivery).totalMs + policy.tickMs);
});

const slow = {
  policy: { ...policy, holdMs: 10_000 },
  delivery: { ...delivery, healthCheckIntervalSeconds: 30 as const },
};

test.each([
  ['evidence', 'policy.blipMs', { ...slow, policy: { ...slow.policy, blipMs: 5_000 } }],
  ['seam', 'policy.tickMs', { ...slow, policy: { ...slow.policy, tickMs: 4_000 } }],
  ['hold', 'policy.holdMs', { ...slow, policy: { ...slow.policy, holdMs: 0 } }],
  ['vote checks', 'delivery.healthCheckIntervalSeconds', { ...slow, delivery }],
  ['dns ttl', 'delivery.dnsTtlSeconds', { ...slow, delivery: { ...slow.delivery, dnsTtlSeconds: 1 } }],
  [
    'producer poll',
    'delivery.producerPollMs',
    { ...slow, delivery: { ...slow.delivery, producerPollMs: 500 } },
  ],
])('%s: the setting it names, %s, is one that makes it smaller', (name, setting, faster) => {
  const partOf = (settings: typeof faster) =>
    rtoBudget(settings.policy, settings.delivery).parts.find(({ part }) => part === name);
  expect(partOf(slow)?.lower).toBe(setting);
  expect(partOf(faster)?.ms).toBeLessThan(partOf(slow)?.ms ?? 0);
});

test('where blips are not ridden out, evidence is a matter of the tick alone', () => {
  const [evidence] = rtoBudget({ ...policy, blipMs: 0 }, delivery).parts;
  expect(evidence).toEqual({ part: 'evidence', ms: 2 * 5_000 + 2 * 2_000, lower: 'policy.tickMs' });
});

test('a part that is at its least names no setting', () => {
  const named = rtoBudget(policy, delivery).parts.flatMap(({ lower }) => lower ?? []);
  expect(named).toEqual([
    'policy.blipMs',
    'policy.tickMs',
    'delivery.dnsTtlSeconds',
    'delivery.producerPollMs',
  ]);
});
