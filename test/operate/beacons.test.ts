import { createColors } from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { BeaconTable } from '../../lambda/core/beacon-table.ts';
import { statusScreen } from '../../lib/cli/screens/status.ts';
import { whyScreen } from '../../lib/cli/screens/why.ts';
import { exitOfStatus } from '../../lib/cli/status.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { beaconFindings } from '../../lib/operate/doctor/beacons.ts';
import { observerReport } from '../../lib/operate/observers.ts';
import { statusOf } from '../../lib/operate/status.ts';
import { whyNow } from '../../lib/operate/why.ts';
import {
  configInput,
  MINUTE_MS,
  NOW_MS,
  config as off,
  read,
  readings,
  report,
  unread,
} from './fixtures/readings.ts';

const config = parseConfig({ ...configInput, beacons: true }, 'spillway.config.json');
const table: BeaconTable = {
  completeAtMs: NOW_MS - 30_000,
  isComplete: true,
  sources: 15,
  cells: { clicks: 3, orders: 12 },
  silentCells: 0,
  ignored: {},
};
const unreadable: BeaconTable = {
  isComplete: false,
  problem: { errorClass: 'missing', sinceMs: NOW_MS - 5 * MINUTE_MS },
  cells: {},
  silentCells: 0,
  ignored: {},
};
const regions = ['us-west-2', 'us-east-2', 'eu-west-1'];
const observers = (...tables: readonly (BeaconTable | undefined)[]) =>
  new Map(
    regions.map((region, n) => {
      const beacons = n < tables.length ? tables[n] : table;
      return [region, read(report(beacons === undefined ? {} : { beacons }))] as const;
    }),
  );

describe('doctor', () => {
  const found = (...tables: readonly (BeaconTable | undefined)[]) =>
    beaconFindings(config, observers(...tables), NOW_MS);

  test('tells how many sources report, by cell', () => {
    expect(found()).toEqual([
      {
        check: 'beacons',
        ok: true,
        finding: 'sources that report: clicks 3, orders 12; 15 together',
        fix: '',
      },
    ]);
  });

  test.each<[string, BeaconTable, RegExp, RegExp]>([
    [
      'that is missing',
      unreadable,
      /us-east-2 has it: cannot be read: the table is missing, for 5 min/,
      /deploy/,
    ],
    [
      'that is refused',
      { ...table, problem: { errorClass: 'access', sinceMs: NOW_MS } },
      /access is refused/,
      /dynamodb:Scan/,
    ],
    ['that is not read as a whole', { ...table, isComplete: false }, /there is no quorum/, /aws logs tail/],
  ])('finds a table %s, by the observer that has it so', (_what, own, finding, fix) => {
    expect(found(table, own)).toEqual([
      {
        check: 'beacons',
        ok: false,
        finding: expect.stringMatching(finding),
        fix: expect.stringMatching(fix),
      },
    ]);
  });

  test('finds an observer that does not read at all', () => {
    expect(found(undefined)).toMatchObject([
      { ok: false, finding: 'the observer in us-west-2 does not read shop-beacons' },
    ]);
  });

  test('finds that nobody reports, or nobody of a cell', () => {
    const nobody = { ...table, sources: 0, cells: { clicks: 0, orders: 0 }, silentCells: 2 };
    expect(found(nobody, nobody, nobody)).toMatchObject([
      { ok: false, finding: 'no producer reports', fix: expect.stringContaining('shop-beacon-writer') },
    ]);
    const some = { ...table, cells: { clicks: 0, orders: 12 }, silentCells: 1 };
    expect(found(some, some, some)).toMatchObject([{ ok: false, finding: 'clicks: no producer reports' }]);
    // Another observer has read it by now.
    expect(found(some)).toMatchObject([{ ok: true }]);
  });

  test('does not expect reports of the cell of drills', () => {
    const cells = [...configInput.cells, { name: 'drill', stream: 'drill' }];
    const drilling = parseConfig({ ...configInput, cells, beacons: true, drill: { cell: 'drill' } }, 'test');
    const idle = { ...table, cells: { drill: 0, orders: 12 }, silentCells: 1 };
    expect(beaconFindings(drilling, observers(idle, idle, idle), NOW_MS)).toMatchObject([{ ok: true }]);
  });

  test('finds a flood, and hints at items that are not believed', () => {
    expect(found({ ...table, flooding: 'AROAEXAMPLE:liar', ignored: { future: 3 } })).toMatchObject([
      {
        ok: false,
        finding: expect.stringContaining('AROAEXAMPLE:liar'),
        fix: expect.stringContaining('Take'),
      },
      { ok: true, finding: 'items that are not believed: 3 future', fix: expect.stringMatching(/./) },
      { ok: true },
    ]);
  });

  test('says what the policy lacks where beacons are off', () => {
    expect(beaconFindings(off, new Map(), NOW_MS)).toMatchObject([
      {
        ok: true,
        finding: expect.stringMatching(/^off: .*policy.beacons \(probe\)/),
        fix: expect.stringMatching(/./),
      },
    ]);
    const ignoring = parseConfig({ ...configInput, policy: { beacons: 'ignore' } }, 'test');
    expect(beaconFindings(ignoring, new Map(), NOW_MS)).toMatchObject([{ ok: true, fix: '' }]);
  });

  test('leaves an observer that does not answer to the check of observers', () => {
    const silent = new Map([['us-west-2', unread('no answer within 2.5 s')]]);
    expect(beaconFindings(config, silent, NOW_MS)).toEqual([]);
  });
});

describe('status', () => {
  const world = (...tables: readonly (BeaconTable | undefined)[]) =>
    readings({ observers: observers(...tables) });
  const status = (...tables: readonly (BeaconTable | undefined)[]) => statusOf(config, world(...tables));
  const screen = (...tables: readonly (BeaconTable | undefined)[]) =>
    statusScreen(status(...tables), { colors: createColors(false), columns: 200 });

  test('has one line of beacons, and none where they are off', () => {
    expect(exitOfStatus(status())).toBe(0);
    expect(screen()).toContain('\nbeacons, as us-west-2 has them: 15 sources report\n');
    expect(screen(undefined, undefined, undefined)).not.toContain('beacons');
  });

  test('is not healthy while the table cannot be read, after a minute', () => {
    expect(exitOfStatus(status(unreadable))).toBe(4);
    expect(status(unreadable).findings).toMatchObject([
      {
        level: 'bad',
        text: expect.stringMatching(/in us-west-2 have it: cannot be read: the table is missing/),
      },
    ]);
    const lately = { ...unreadable, problem: { errorClass: 'timeout', sinceMs: NOW_MS - 59_000 } as const };
    expect(status(lately).findings).toEqual([]);
  });

  test('notes that nobody reports, and a flood', () => {
    const nobody = { ...table, sources: 0 };
    expect(status(nobody, nobody, nobody).findings).toMatchObject([
      { level: 'note', text: 'no producer reports by beacons' },
    ]);
    expect(status({ ...table, flooding: 'AROA:x' }).findings).toMatchObject([
      { level: 'note', text: expect.stringContaining('AROA:x fills the table') },
    ]);
  });

  test('why tells of each observer', () => {
    const readingsNow = world(unreadable);
    const why = whyNow(config, readingsNow, statusOf(config, readingsNow));
    const lines = whyScreen(why, { colors: createColors(false), columns: 200 });
    expect(lines).toMatch(/\n {2}beacons {3}cannot be read: the table is missing, for 5 min/);
    expect(lines).toMatch(/\n {2}beacons {3}15 sources report\n/);
  });
});

describe('the item of an observer', () => {
  const { memory: _memory, liveVote: _vote, fresh: _fresh, ...stored } = report();

  test('is read with its state of the table, with a state that is not understood, and without', () => {
    expect(observerReport({ ...stored, beacons: table }, NOW_MS).beacons).toEqual(table);
    expect(observerReport({ ...stored, beacons: { what: 1 } }, NOW_MS)).not.toHaveProperty('beacons');
    expect(observerReport(stored, NOW_MS)).not.toHaveProperty('beacons');
  });
});
