import { createColors } from 'picocolors';
import { describe, expect, test } from 'vitest';
import { statusScreen } from '../../lib/cli/screens/status.ts';
import { exitOfStatus } from '../../lib/cli/status.ts';
import type { ObserverReport } from '../../lib/operate/observers.ts';
import type { Reading } from '../../lib/operate/reading.ts';
import { statusOf } from '../../lib/operate/status.ts';
import { whyNow } from '../../lib/operate/why.ts';
import {
  config,
  MINUTE_MS,
  NOW_MS,
  read,
  readings,
  report,
  unread,
  type WorldOptions,
} from './fixtures/readings.ts';

/** By the default of `monitoring.drillOverdueDays`. */
const overdueMs = 8 * 86_400_000;
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
      'orders: the switch says STANDBY and DNS does not follow yet',
    ]);
  });

  test('an observer that does not answer, and one whose vote ran out, are told apart, and counted out', () => {
    const told = bad({ observers: accused });
    expect(told).toContain('observer eu-west-1: no answer within 2.5 s');
    expect(told).toContain('observer us-east-2 is silent: its vote has run out, and reads HOLD');
    expect(told).toContain(
      '1 of 3 observers are known to have a live vote; whether the 2 are there that it takes to evacuate is not known',
    );
    expect(told).toContain('1 of 2 votes that are known, of 3, are EVACUATE (us-west-2)');
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
      return statusOf(config, { ...known, state });
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

  test('a drill that is overdue, or not on record, is a note', () => {
    expect(status({ drilledAtMs: NOW_MS - overdueMs }).findings).toEqual([]);
    expect(status({ drilledAtMs: NOW_MS - overdueMs - 1 }).findings).toMatchObject([{ level: 'note' }]);
    expect(status({ drilledAtMs: null }).findings).toMatchObject([{ text: 'no drill is on record' }]);
  });
});

describe('the screen', () => {
  test('shows cells, observers, overrides and the verdict', () => {
    const text = screen({ region: 'us-west-2', switches: ['orders'], observers: accused });
    expect(text).toMatch(/^shop NOT HEALTHY/);
    expect(text).toMatch(/^orders +us-west-2 +STANDBY/m);
    expect(text).toMatch(/^clicks +us-west-2 +PRIMARY/m);
    expect(text).toMatch(/^us-west-2 +EVACUATE +2 s +KinesisWriteImpaired +evacuating/m);
    expect(text).toMatch(/^us-east-2 +HOLD \(ran out\) +90 s/m);
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
    expect(lines).toContain('… and 999 cells more, 999 of them in the primary');
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
    expect(chain?.evidence?.primary).toContain('kinesisWrite down');
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
