import { describe, expect, test } from 'vitest';
import {
  DRILL_MAX_MS,
  type DrillFacts,
  drillGuards,
  drillRefusals,
  refusedEntry,
} from '../../lambda/core/drill.ts';
import { defaultPolicy } from '../../lib/config/defaults.ts';

const NOW_MS = Date.parse('2026-11-25T03:00:00Z');
const observers = ['us-west-2', 'us-east-2', 'eu-west-1'];
const reports: DrillFacts['reports'] = observers.map((region) => ({
  region,
  fresh: true,
  vote: 'HOLD',
  diagnosis: 'Healthy',
  decidedAtMs: NOW_MS - 2_000,
  healthySinceMs: NOW_MS - 3_600_000,
}));
const quiet: DrillFacts = {
  nowMs: NOW_MS,
  policy: { ...defaultPolicy, votesToEvacuate: 2 },
  standby: 'us-west-2',
  observers,
  reports,
  control: {},
  lease: undefined,
  newestEpoch: 4,
  primaryShortfalls: [],
  answer: 'primary',
  position: 'PRIMARY',
};
const override = { owner: 'ana', reason: 'sale', untilMs: NOW_MS + 3_600_000 };
const first = (change: Partial<(typeof reports)[number]>): DrillFacts['reports'] =>
  reports.map((report, n) => (n === 0 ? { ...report, ...change } : report));

describe('a drill is refused', () => {
  test.each<[string, Partial<DrillFacts>, string, RegExp]>([
    ['in a pause', { control: { pause: override } }, 'pause', /^paused by ana: sale$/],
    ['when the control item cannot be read', { control: 'unreadable' }, 'pause', /cannot be read/],
    [
      'in a maintenance window',
      { control: { maintenance: { ...override, fromMs: NOW_MS - 1 } } },
      'maintenance',
      /^maintenance by ana: sale$/,
    ],
    [
      'when a window begins before it would be over',
      { control: { maintenance: { ...override, fromMs: NOW_MS + DRILL_MAX_MS } } },
      'maintenance',
      /sale/,
    ],
    ['while an observer votes to leave', { reports: first({ vote: 'EVACUATE' }) }, 'votes', /us-west-2$/],
    ['while an observer is silent', { reports: first({ fresh: false }) }, 'observer-silent', /us-west-2$/],
    [
      'while an observer cannot be read',
      { reports: reports.slice(0, 2) },
      'observer-silent',
      /^nothing is heard from eu-west-1$/,
    ],
    ['when its cell is away', { answer: 'standby' }, 'not-in-primary', /DNS says standby/],
    ['when DNS does not answer', { answer: 'unknown' }, 'not-in-primary', /DNS says unknown/],
    ['when its switch is set', { position: 'STANDBY' }, 'not-in-primary', /switch is STANDBY/],
    ['when its switch cannot be read', { position: 'unreadable' }, 'not-in-primary', /unreadable/],
    [
      'while another run holds the lease',
      { lease: { holder: 'all-4', epoch: 4, untilMs: NOW_MS + 1 } },
      'lease',
      /^all-4 holds the lease$/,
    ],
    ['when the lease cannot be read', { lease: 'unreadable' }, 'lease', /cannot be read/],
    [
      'when the primary has not been healthy for long enough to come home',
      { reports: reports.map((report) => ({ ...report, healthySinceMs: NOW_MS - 60_000 })) },
      'way-back',
      /a failback would be refused: .*\(recovery\)/,
    ],
    [
      'when the primary has become too small to come home to',
      { primaryShortfalls: ['orders: peak 9 MB/s'] },
      'way-back',
      /orders: peak 9 MB\/s \(capacity\)/,
    ],
  ])('%s', (_what, change, rule, reason) => {
    const refusals = drillRefusals({ ...quiet, ...change });
    expect(refusals[0]?.rule).toBe(rule);
    expect(refusals[0]?.reason).toMatch(reason);
  });

  test('by each guard for one of these reasons', () => {
    const all: Partial<DrillFacts> = {
      control: { pause: override, maintenance: { ...override, fromMs: 0 } },
      reports: first({ vote: 'EVACUATE' }).slice(0, 1),
      answer: 'standby',
      lease: 'unreadable',
      primaryShortfalls: ['orders'],
    };
    expect(drillRefusals({ ...quiet, ...all }).map(({ rule }) => rule)).toEqual(
      drillGuards.map(({ rule }) => rule),
    );
  });
});

test('what refused a drill is in its line of the journal', () => {
  const author = { owner: 'schedule', reason: 'the weekly drill', group: 'drill', atMs: NOW_MS };
  const refusals = [{ rule: 'pause', reason: 'paused by ana: sale' }];
  expect(refusedEntry(author, refusals)).toMatchObject({
    what: 'drill',
    who: 'schedule',
    why: 'refused: paused by ana: sale (pause); the weekly drill',
    after: { ok: false, refusals },
  });
});

describe('a drill is let through', () => {
  test.each<[string, Partial<DrillFacts>]>([
    ['in quiet times', {}],
    ['when a pause has run out', { control: { pause: { ...override, untilMs: NOW_MS } } }],
    [
      'long before a window',
      { control: { maintenance: { ...override, fromMs: NOW_MS + DRILL_MAX_MS + 1 } } },
    ],
    ['when the lease has run out', { lease: { holder: 'all-4', epoch: 4, untilMs: NOW_MS } }],
  ])('%s', (_what, change) => {
    expect(drillRefusals({ ...quiet, ...change })).toEqual([]);
  });
});
