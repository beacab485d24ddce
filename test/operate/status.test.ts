import { createColors } from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { Recurring } from '../../lambda/core/recurring.ts';
import { localTime } from '../../lib/cli/local-time.ts';
import { statusScreen } from '../../lib/cli/screens/status.ts';
import { exitOfStatus } from '../../lib/cli/status.ts';
import type { Config } from '../../lib/config/config.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import type { ObserverReport } from '../../lib/operate/observers.ts';
import type { Reading } from '../../lib/operate/reading.ts';
import { statusOf } from '../../lib/operate/status.ts';
import { whyNow } from '../../lib/operate/why.ts';
import {
  config,
  configInput,
  MINUTE_MS,
  NOW_MS,
  read,
  readings,
  report,
  unread,
  type WorldOptions,
} from './fixtures/readings.ts';

const DAY_MS = 86_400_000;
/** By the default of `monitoring.drillOverdueDays` with weekly drills. */
const overdueMs = 8 * DAY_MS;
const drilling = (drill: { readonly schedule?: 'weekly' | 'off' }, monitoring = {}) =>
  parseConfig(
    {
      ...configInput,
      cells: [...configInput.cells, { name: 'drill', stream: 'drill' }],
      drill: { cell: 'drill', ...drill },
      monitoring,
    },
    'test',
  );
const weekly = drilling({});
const healthyDns = ({ cells }: Config) => ({
  region: read('us-east-1'),
  signals: new Map(cells.map(({ name }) => [name, read({ region: 'us-east-1', stream: name })])),
});
const status = (options: WorldOptions = {}) => statusOf(config, readings(options));
const bad = (options: WorldOptions) =>
  status(options).findings.flatMap(({ level, text }) => (level === 'bad' ? [text] : []));
const screen = (options: WorldOptions, columns = 200) =>
  statusScreen(status(options), { colors: createColors(false), columns });

const accused = new Map<string, Reading<ObserverReport>>([
  [
    'us-west-2',
    read(
      report(
        { vote: 'EVACUATE', liveVote: 'EVACUATE', diagnosis: 'KinesisWriteImpaired', phase: 'evacuating' },
        { primaryFails: true },
      ),
    ),
  ],
  ['us-east-2', read(report({ fresh: false, expiresAtMs: NOW_MS - 60_000, decidedAtMs: NOW_MS - 90_000 }))],
  ['eu-west-1', unread('no answer within 2.5 s')],
]);

describe('status', () => {
  test('a healthy world has nothing to tell, and ends with 0', () => {
    const healthy = status();
    expect(healthy.findings).toEqual([]);
    expect(exitOfStatus(healthy)).toBe(0);
  });

  test('traffic in the standby is not healthy, latched or not', () => {
    const latched = status({ region: 'us-west-2', switches: ['orders', 'clicks'] });
    expect(exitOfStatus(latched)).toBe(4);
    expect(bad({ region: 'us-west-2', switches: ['orders', 'clicks'] })).toEqual([
      'traffic of every cell is in the standby (epoch 3)',
    ]);
    expect(bad({ region: 'us-west-2', switches: ['orders'] })[1]).toMatch(/only the votes hold clicks/);
  });

  test('a switch that a removed cell has left in the standby is named, with the command that releases it', () => {
    const { ok, findings } = status({ switches: ['gone'] });
    expect(ok).toBe(true);
    expect(findings).toMatchObject([
      {
        level: 'note',
        text: expect.stringMatching(/^gone: not in the config/),
        run: 'spillway failback --removed --reason "…"',
      },
    ]);
  });

  test('a switch that DNS does not follow is told', () => {
    expect(bad({ switches: ['orders'] })).toEqual([
      'orders: the switch says STANDBY, but DNS has not followed yet',
    ]);
  });

  test('an observer that does not answer, and one whose vote ran out, are told apart, and counted out', () => {
    const told = bad({ observers: accused });
    expect(told).toContain('observer eu-west-1: no answer within 2.5 s');
    expect(told).toContain('observer us-east-2 is silent: its vote has expired, and reads HOLD');
    expect(told).toContain(
      '1 of 3 observers are known to have a live vote; whether there are the 2 that an evacuation needs is not known',
    );
    expect(told).toContain('1 of 2 known votes (of 3) are EVACUATE (us-west-2)');
    expect(told.find((text) => text.startsWith('KinesisWriteImpaired: '))).toMatch(/Watch the evacuation/);
  });

  test('what cannot be read is said, and never taken for healthy', () => {
    const gone = unread('timed out');
    const told = bad({ state: { control: gone, switches: gone, lease: gone } });
    expect(told).toEqual(['the state table in us-west-2: timed out; not known: overrides, switches, lease']);
    expect(status({ state: { switches: gone } }).cells[0]?.switch).toBe('unknown');
  });

  test('an unreadable control item counts as a pause, and says how to clear it', () => {
    const [finding] = status({ control: 'unreadable' }).findings;
    expect(finding).toMatchObject({ level: 'bad', run: expect.stringContaining('spillway resume') });
  });

  test('a pause is a note with its owner and what is left of it; one that has run out is gone', () => {
    const pause = { owner: 'ana', reason: 'load test', untilMs: NOW_MS + 90 * MINUTE_MS };
    const paused = status({ control: { pause } });
    expect(paused.ok).toBe(true);
    expect(paused.findings).toMatchObject([{ level: 'note', text: 'pause by ana: load test (1.5 h left)' }]);
    expect(status({ control: { pause: { ...pause, untilMs: NOW_MS } } }).findings).toEqual([]);
  });

  test('a maintenance window that has not begun is not active', () => {
    const maintenance = { owner: 'ana', reason: 'x', fromMs: NOW_MS + 1, untilMs: NOW_MS + MINUTE_MS };
    expect(status({ control: { maintenance } }).overrides).toMatchObject([{ active: false }]);
  });

  test('a standby too small for what the survey has seen is a note, of the cells there are', () => {
    const [first] = config.cells;
    const small = (cell: string) => ({
      cell,
      surveyedAtMs: NOW_MS,
      peak: { bytesPerSecond: 5_000_000, recordsPerSecond: 900 },
      standby: { mode: 'provisioned' as const, shards: 1 },
    });
    const found = (...cells: readonly string[]) =>
      statusOf(config, readings({ state: { capacities: read(cells.map(small)) } }));
    expect(found('gone').findings).toEqual([]);
    expect(found(first?.name ?? '', 'gone')).toMatchObject({
      ok: true,
      findings: [
        {
          level: 'note',
          text: expect.stringMatching(/^the standby is too small: \w+: peak 5\.0 MB\/s [^;]*$/),
          run: 'spillway doctor',
        },
      ],
    });
    expect(found(...config.cells.map(({ name }) => name)).findings[0]?.text).toMatch(
      new RegExp(`; and ${config.cells.length - 1} more cells$`),
    );
  });

  test('a drill that failed or was refused is a note, and is no proof', () => {
    const drilled = (after: unknown) => {
      const entry = { atMs: NOW_MS - 1_000, who: 'schedule', what: 'drill', why: 'weekly', after };
      const known = readings({ drilledAtMs: NOW_MS - 3_600_000 });
      const journal = known.state.journal.ok ? known.state.journal.value : [];
      const state = { ...known.state, journal: read([entry, ...journal]) };
      return statusOf(weekly, { ...known, dns: healthyDns(weekly), state });
    };
    expect(drilled({ ok: true, rtoMs: 33_000 })).toMatchObject({
      lastDrill: { end: 'ok', rtoMs: 33_000 },
      findings: [],
    });
    expect(drilled({ ok: false, rtoMs: null, failures: ['x'] })).toMatchObject({
      lastDrill: { end: 'failed', rtoMs: null },
      findings: [{ level: 'note', text: 'the last drill failed', run: 'spillway history' }],
    });
    expect(drilled({ ok: false, refusals: [{ rule: 'pause' }] })).toMatchObject({
      lastDrill: { end: 'refused' },
      findings: [{ text: 'the last drill was refused' }],
    });
  });

  describe('a drill that is overdue is a note', () => {
    const found = (of: Config, drill: Recurring | undefined, drilledAtMs: number | null = null) => {
      const known = readings({
        drilledAtMs,
        state: { drill: drill === undefined ? unread('no answer') : read(drill) },
      });
      return statusOf(of, { ...known, dns: healthyDns(of) }).findings.map(({ text }) => text);
    };
    const late = ['no drill has succeeded for 8 days: it is not proven that a failover would work'];
    const before = NOW_MS - 90 * DAY_MS;

    test.each<[string, readonly string[], Recurring, number | null]>([
      ['is as old as it may be', [], { expectedSinceMs: before }, NOW_MS - overdueMs],
      ['is older', late, { expectedSinceMs: before }, NOW_MS - overdueMs - 1],
      [
        'is older, and others have pushed it out of the journal',
        late,
        { expectedSinceMs: before, doneAtMs: NOW_MS - overdueMs - 1 },
        null,
      ],
      [
        'is out of the journal, and not too old',
        [],
        { expectedSinceMs: before, doneAtMs: NOW_MS - overdueMs },
        null,
      ],
      ['was never, and has been asked for since today', [], { expectedSinceMs: NOW_MS }, null],
      [
        'was never, and has been asked for as long as that',
        late,
        { expectedSinceMs: NOW_MS - overdueMs - 1 },
        null,
      ],
      ['is old, but drills were left out until today', [], { expectedSinceMs: NOW_MS }, before],
      ['was never, and the deployment does not ask for it yet', [], {}, null],
    ])('the last one %s: %o', (_what, texts, record, drilledAtMs) => {
      expect(found(weekly, record, drilledAtMs)).toEqual(texts);
    });

    test('not where none is configured or scheduled, whatever is on record', () => {
      const record = { expectedSinceMs: before, doneAtMs: before };
      expect(found(config, record)).toEqual([]);
      expect(found(drilling({ schedule: 'off' }), record)).toEqual([]);
      expect(found(drilling({ schedule: 'off' }, { drillOverdueDays: 8 }), record)).toHaveLength(1);
    });

    test('not when the record does not answer, which is said instead', () => {
      expect(found(weekly, undefined, before)).toEqual([
        'the state table in us-west-2: no answer; not known: drill record',
      ]);
    });

    test('and one that failed is none where its cell has been removed from the config', () => {
      const entry = { atMs: NOW_MS, who: 'schedule', what: 'drill', why: 'weekly', after: { ok: false } };
      const known = readings({ state: { journal: read([entry]) } });
      expect(statusOf(config, known).findings).toEqual([]);
      expect(statusOf(weekly, { ...known, dns: healthyDns(weekly) }).findings).toHaveLength(1);
    });
  });
});

describe('the way back', () => {
  const observersOf = (change: Partial<ObserverReport>, healthyForMs: number | null) =>
    new Map(
      ['us-west-2', 'us-east-2', 'eu-west-1'].map((region) => [
        region,
        read(report(change, healthyForMs === null ? { primaryFails: true } : { healthyForMs })),
      ]),
    );
  const early = { switches: ['orders'], observers: observersOf({}, 5 * MINUTE_MS) };
  const readyAtMs = NOW_MS + config.policy.recoveryMs - 5 * MINUTE_MS;

  test('is not spoken of while no switch holds a cell', () => {
    expect(status().failback).toBe('none');
    expect(screen({})).not.toMatch(/failback/);
  });

  test('is possible from when the guards let it, which says so with the guard', () => {
    expect(status(early).failback).toMatchObject({
      possibleFrom: new Date(readyAtMs).toISOString(),
      because: [
        expect.stringMatching(
          /^fewer than 2 observers have seen the primary healthy for \d+ s \(recovery\)$/,
        ),
      ],
    });
    expect(status({ switches: ['orders'] }).failback).toMatchObject({
      possibleFrom: new Date(NOW_MS).toISOString(),
    });
  });

  test('is known while the votes stand that have put traffic there, and wait for the recovery alone', () => {
    const voting = { vote: 'EVACUATE', liveVote: 'EVACUATE', phase: 'evacuated' } as const;
    const switches = ['orders', 'clicks'];
    const evacuated = status({ switches, observers: observersOf(voting, 5 * MINUTE_MS) });
    expect(evacuated.failback).toMatchObject({ possibleFrom: new Date(readyAtMs).toISOString() });
    const impaired = status({ switches, observers: observersOf(voting, null) });
    expect(impaired.failback).toMatchObject({
      possibleFrom: null,
      because: expect.arrayContaining([expect.stringMatching(/^EVACUATE votes come from/)]),
    });
  });

  test('cannot be known while the switches cannot be read', () => {
    expect(status({ state: { switches: unread('gone') } }).failback).toEqual({
      possibleFrom: null,
      because: ['the switches cannot be read: gone'],
      held: [],
    });
  });

  test('names who holds which cells, by act, and leaves removed cells out', () => {
    const switches = [
      { group: 'orders', position: 'STANDBY', epoch: 3, owner: 'ana', reason: 'inc-4711', atMs: NOW_MS - 1 },
      { group: 'clicks', position: 'STANDBY', epoch: 4 },
      { group: 'gone', position: 'STANDBY', epoch: 5 },
    ] as const;
    expect(status({ state: { switches: read(switches) } }).failback).toMatchObject({
      held: [
        { cells: ['clicks'], epoch: 4, owner: null, reason: null, sinceMs: null },
        { cells: ['orders'], epoch: 3, owner: 'ana', reason: 'inc-4711', sinceMs: NOW_MS - 1 },
      ],
    });
  });

  test('is on the screen in local time, with its zone', () => {
    const shown = (options: WorldOptions, timeZone: string) =>
      statusScreen(status(options), { colors: createColors(false), columns: 200, timeZone });
    const switches = [
      { group: 'orders', position: 'STANDBY', epoch: 3, owner: 'ana', reason: 'inc-4711', atMs: NOW_MS },
    ] as const;
    const byAna = { ...early, state: { switches: read(switches) } };
    const inBerlin = shown(byAna, 'Europe/Berlin');
    expect(inBerlin).toMatch(
      /^switched to the standby: orders since 04:00 CET, by ana: inc-4711 \(epoch 3\)$/m,
    );
    expect(inBerlin).toMatch(
      /^failback possible from 04:10 CET, if us-east-1 stays healthy, because .* \(recovery\)$/m,
    );
    // There it is the day before, and so is the time.
    expect(shown(byAna, 'America/Los_Angeles')).toMatch(/since 19:00 (?:PST|GMT-8), by ana/);
    expect(shown({ switches: ['orders'] }, 'UTC')).toMatch(
      /^failback possible now: spillway failback --check --cells orders$/m,
    );
  });
});

test('a time of another day says which', () => {
  const options = { nowMs: NOW_MS, timeZone: 'UTC' };
  expect(localTime(NOW_MS + 1, options)).toBe('03:01 UTC');
  expect(localTime(NOW_MS + 1, { ...options, rounded: 'down' })).toBe('03:00 UTC');
  expect(localTime(NOW_MS + 24 * 60 * MINUTE_MS, options)).toBe('2026-11-26 03:00 UTC');
});

describe('the screen', () => {
  test('shows cells, observers, overrides and the verdict', () => {
    const text = screen({ region: 'us-west-2', switches: ['orders'], observers: accused });
    expect(text).toMatch(/^shop NOT HEALTHY/);
    expect(text).toMatch(/^orders +us-west-2 +STANDBY/m);
    expect(text).toMatch(/^clicks +us-west-2 +PRIMARY/m);
    expect(text).toMatch(/^us-west-2 +EVACUATE +2 s +KinesisWriteImpaired +evacuating/m);
    expect(text).toMatch(/^us-east-2 +HOLD \(expired\) +90 s/m);
    expect(text).toMatch(/^eu-west-1 +no answer +no answer within 2.5 s$/m);
    expect(text).toMatch(/epoch 3 +lease free/);
  });

  test('has no colour codes without colours, and fits the columns in its tables', () => {
    const text = screen({ observers: accused }, 100);
    expect(text).not.toContain('\u001b');
    const rows = text.split('\n').filter((line) => /^(us|eu)-/.test(line));
    expect(Math.max(...rows.map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test('of a thousand cells shows those that are not where they belong, and counts the others', () => {
    const cells = Array.from({ length: 1_000 }, (_, n) => ({
      ...config.cells[0],
      name: `c${n}`,
      group: `c${n}`,
    }));
    const many = { ...config, cells: cells as typeof config.cells };
    const base = readings();
    const signals = new Map(
      many.cells.map(({ name }) => [
        name,
        read({ region: name === 'c7' ? 'us-west-2' : 'us-east-1', stream: 's' }),
      ]),
    );
    const found = statusOf(many, { ...base, dns: { ...base.dns, signals } });
    const lines = statusScreen(found, { colors: createColors(false), columns: 120 }).split('\n');
    expect(lines.length).toBeLessThan(25);
    expect(lines).toContain('… and 999 more cells, 999 of them in the primary');
    expect(lines.find((line) => line.startsWith('c7 '))).toMatch(/us-west-2/);
  });
});

describe('why', () => {
  const why = (options: WorldOptions) => {
    const all = readings(options);
    return whyNow(config, all, statusOf(config, all));
  };

  test('names the signal that is down, the diagnosis, and the guard that refuses', () => {
    const refusals = [{ rule: 'pause', reason: 'paused by ana: load test' }];
    const held = report(
      { diagnosis: 'KinesisWriteImpaired', phase: 'held', refusals },
      { primaryFails: true },
    );
    const [chain] = why({ observers: new Map([['us-west-2', read(held)]]) }).observers;
    expect(chain?.evidence?.primary).toContainEqual(
      expect.stringMatching(/^kinesisWrite down \(\d+ % of \d+ puts fail, \d+ to \d+ %\)$/),
    );
    expect(chain?.gain).toBe('large');
    expect(chain?.evidence?.standby.join()).not.toContain('kinesisWrite');
    expect(chain?.diagnosis).toMatchObject({ code: 'KinesisWriteImpaired', actionable: true });
    expect(chain?.refusals).toMatchObject([
      { rule: 'pause', purpose: expect.stringContaining('fails closed') },
    ]);
  });

  test('tells when votes and DNS do not agree', () => {
    expect(why({}).quorum).not.toMatch(/has not followed/);
    expect(why({ region: 'us-west-2' }).quorum).toMatch(/DNS has not followed/);
  });
});
