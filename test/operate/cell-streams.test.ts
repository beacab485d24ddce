import fc from 'fast-check';
import { createColors } from 'picocolors';
import { describe, expect, test } from 'vitest';
import { type CellFinding, type CellFindingKind, MOST_FINDINGS } from '../../lambda/core/cell-findings.ts';
import type { GuardRule } from '../../lambda/core/guards.ts';
import { statusScreen } from '../../lib/cli/screens/status.ts';
import { whyScreen } from '../../lib/cli/screens/why.ts';
import type { Config } from '../../lib/config/config.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { cellStreams } from '../../lib/operate/cell-streams.ts';
import { type ObserverReport, observerReport } from '../../lib/operate/observers.ts';
import { statusOf } from '../../lib/operate/status.ts';
import { whyNow } from '../../lib/operate/why.ts';
import {
  config,
  configInput,
  NOW_MS,
  read,
  readings,
  report,
  type WorldOptions,
} from './fixtures/readings.ts';

const regions = ['us-west-2', 'us-east-2', 'eu-west-1'];
const plain = { colors: createColors(false), columns: 160 };

const says = (cell: string, kind: CellFindingKind, change: Partial<CellFinding> = {}): CellFinding => ({
  cell,
  group: cell,
  kind,
  sinceMs: NOW_MS - 40_000,
  reason: '5 of 6 records were not taken lately',
  refusals: [],
  ...change,
});
const refusedBy = (rule: GuardRule, reason = 'because') => ({ refusals: [{ rule, reason }] });

/** What each of the three observers says of single cells; the others say nothing. */
const world = (said: readonly (readonly CellFinding[])[], options: WorldOptions = {}) =>
  readings({
    ...options,
    observers: new Map(
      regions.map((region, n) => {
        const cells = said[n] ?? [];
        const accuses = cells.some(({ kind }) => kind === 'impaired');
        return [region, read(report({ cells, diagnosis: accuses ? 'StreamImpaired' : 'Healthy' }))];
      }),
    ),
  });
const status = (said: readonly (readonly CellFinding[])[], options: WorldOptions = {}, of: Config = config) =>
  statusOf(of, world(said, options));
const streamFindings = (...arguments_: Parameters<typeof status>) =>
  status(...arguments_).findings.filter(({ text }) => text.startsWith('the stream of '));

describe('what status says of the stream of a cell', () => {
  test('is nothing in health, but how the cell may be probed', () => {
    const found = status([]);
    expect(found.cells[0]?.streams).toEqual({
      kind: null,
      observers: [],
      of: 3,
      refusals: [],
      sinceMs: null,
      reason: null,
      move: 'none',
      probe: 'never',
      mode: null,
    });
    expect(statusScreen(found, plain)).not.toMatch(/own stream/);
  });

  test('is not probed where the roles of observers cannot name it, whatever the config says', () => {
    const cells = Array.from({ length: 60 }, (_, n) => ({
      ...{ name: `c${n}`, group: 'g', probe: 'always' as const },
      stream: { name: `${String.fromCharCode(97 + (n % 26))}-${n}`, existing: true },
    }));
    const many = parseConfig({ ...configInput, cells }, 'test');
    const probes = [...cellStreams(many, { observers: new Map(), positionOf: () => 'PRIMARY' }).values()].map(
      ({ probe }) => probe,
    );
    expect(probes.filter((probe) => probe === 'always').length).toBeLessThanOrEqual(25);
    expect(probes).toContain('never');
  });

  test('is who accuses it, since when, and that it moves', () => {
    const found = status([
      [says('orders', 'impaired')],
      [says('orders', 'impaired', { sinceMs: NOW_MS - 90_000 })],
      [says('orders', 'suspected')],
    ]);
    expect(found.cells[0]?.streams).toMatchObject({
      kind: 'impaired',
      observers: [
        { region: 'us-west-2', kind: 'impaired' },
        { region: 'us-east-2', kind: 'impaired' },
        { region: 'eu-west-1', kind: 'suspected' },
      ],
      sinceMs: NOW_MS - 90_000,
      move: 'moves',
    });
    expect(found.ok).toBe(false);
    expect(statusScreen(found, plain)).toMatch(
      /^orders +impaired, seen by 2 of 3 \(us-west-2, us-east-2\); suspected by eu-west-1 +90 s +moves alone$/m,
    );
    expect(found.findings).toContainEqual({
      level: 'bad',
      text: 'the stream of orders: impaired, seen by 2 of 3 (us-west-2, us-east-2); suspected by eu-west-1; moves alone',
      run: 'spillway status --watch',
    });
  });

  test.each<[GuardRule, string]>([
    ['pause', 'spillway resume --cells orders --reason "…"'],
    ['maintenance', 'spillway resume --cells orders --reason "…"'],
    ['cooldown', 'spillway failover --cells orders --reason "…"'],
    ['standby-unfit', 'spillway doctor'],
    ['mode', 'spillway approve --cells orders --reason "…"'],
  ])('names the guard %s that holds a move, and the next command', (rule, run) => {
    const said = [says('orders', 'impaired', refusedBy(rule))];
    const control = { mode: 'approve' } as const;
    expect(streamFindings([said], { control })).toEqual([
      {
        level: 'bad',
        text: `the stream of orders: impaired, seen by 1 of 3 (us-west-2); does not move: because (${rule})`,
        run,
      },
    ]);
  });

  test('a pause of every move is ended for all, and one of single cells is told with their names, once', () => {
    const pause = { owner: 'ana', reason: 'load test', untilMs: NOW_MS + 3_600_000 };
    const said = [says('orders', 'impaired', refusedBy('pause'))];
    expect(streamFindings([said], { control: { pause } })[0]?.run).toBe('spillway resume --reason "…"');
    const cells = { orders: { pause }, clicks: { pause }, gone: { pause: { ...pause, untilMs: NOW_MS } } };
    const found = status([said], { control: { cells } });
    expect(found.overrides).toEqual([{ kind: 'pause', ...pause, active: true, cells: ['orders', 'clicks'] }]);
    expect(found.findings).toContainEqual({
      level: 'note',
      text: 'pause of the moves of orders, clicks alone, by ana: load test (1.0 h left)',
      run: 'spillway resume --cells orders,clicks --reason "…"',
    });
    expect(statusScreen(found, plain)).toMatch(/pause of orders, clicks alone until .* by ana: load test/);
  });

  test('names a command that moves it by hand where the mode only observes', () => {
    const said = [says('orders', 'impaired', refusedBy('mode'))];
    expect(streamFindings([said], { control: { mode: 'observe' } })[0]?.run).toMatch(
      /^spillway failover --cells orders/,
    );
  });

  test('one accusation waits for others, and a group for half of its cells', () => {
    expect(status([[says('orders', 'impaired')]]).cells[0]?.streams).toMatchObject({
      move: 'waits',
      because: '2 observers have to accuse it',
    });
    const cells = ['a', 'b', 'c'].map((name) => ({ name, group: 'shop', stream: name }));
    const shared = parseConfig({ ...configInput, cells }, 'test');
    const one = [says('a', 'impaired', { group: 'shop' })];
    const two = [...one, says('b', 'impaired', { group: 'shop' })];
    const moveOf = (said: readonly CellFinding[]) =>
      status([said, said], {}, shared).cells.map(({ streams: { move } }) => move);
    expect(moveOf(one)).toEqual(['waits', 'none', 'none']);
    // The third, of which nothing is said, moves with them.
    expect(moveOf(two)).toEqual(['moves', 'moves', 'moves']);
  });

  test('a cell that its switch holds in the standby has moved, and that alone is not repeated as bad', () => {
    const held = [says('orders', 'impaired', refusedBy('in-standby'))];
    const found = streamFindings([held, held], { switches: ['orders'] });
    expect(found).toMatchObject([
      { level: 'note', text: expect.stringMatching(/in the standby, held by its switch$/) },
    ]);
  });

  test('suspicions of one observer are a note, those of K are bad', () => {
    const suspected = [says('orders', 'suspected')];
    expect(streamFindings([suspected])).toMatchObject([{ level: 'note' }]);
    expect(status([suspected]).ok).toBe(true);
    expect(streamFindings([suspected, suspected])).toMatchObject([{ level: 'bad' }]);
    // It may not be probed: only by hand.
    expect(streamFindings([[says('orders', 'unproven')]])[0]?.run).toBe(
      'spillway failover --cells orders --reason "…"',
    );
    expect(streamFindings([[says('orders', 'refused')]])[0]?.run).toBe('spillway doctor');
  });

  test('an observer whose vote has expired says nothing', () => {
    const all = world([[says('orders', 'impaired')]]);
    const observers = new Map([
      ['us-west-2', read(report({ fresh: false, cells: [says('orders', 'impaired')] }))],
    ]);
    expect(statusOf(config, { ...all, observers }).cells[0]?.streams.kind).toBeNull();
  });

  test('of a thousand cells stays one screen, and says how many it leaves out', () => {
    const cells = Array.from({ length: 1_000 }, (_, n) => ({
      name: `c${n}`,
      stream: { name: `c${n}`, existing: true },
    }));
    const many = parseConfig({ ...configInput, cells, healthCheckQuota: 10_000 }, 'test');
    const said = Array.from({ length: MOST_FINDINGS }, (_, n) =>
      says(`c${n}`, n >= MOST_FINDINGS - 3 ? 'impaired' : 'suspected'),
    );
    const signals = new Map(
      many.cells.map(({ name }) => [name, read({ region: 'us-east-1', stream: name })]),
    );
    const all = world([said, said]);
    const text = statusScreen(statusOf(many, { ...all, dns: { ...all.dns, signals } }), plain);
    const lines = text.split('\n');
    expect(lines.length).toBeLessThan(40);
    expect(lines).toContain('… and 28 more cells of whose streams something is said');
    expect(lines.filter((line) => /^c\d+ +impaired/.test(line))).toHaveLength(3);
    expect(text).toMatch(/✗ the stream of c37, c38, c39: impaired; moves alone/);
  });
});

describe('why', () => {
  const why = (
    said: readonly (readonly CellFinding[])[],
    own: Partial<ObserverReport> = {},
    of: Config = config,
  ) => {
    const all = world(said);
    const [first] = [...all.observers.values()];
    if (first?.ok) (all.observers as Map<string, unknown>).set('us-west-2', read({ ...first.value, ...own }));
    return whyNow(of, all, statusOf(of, all));
  };

  test('shows how many puts to a stream fail, the guard that refuses, and the command where the mode holds it', () => {
    const said = says('orders', 'impaired', {
      puts: { failed: 5, counted: 6 },
      ...refusedBy('mode', 'mode is observe'),
    });
    const found = why([[said]]);
    expect(found.observers[0]?.cells).toMatchObject([
      { cell: 'orders', kind: 'impaired', probe: 'never', puts: { failed: 5 } },
    ]);
    const text = whyScreen(found, plain);
    expect(text).toMatch(
      /^ {2}cell {6}orders impaired \(83 % of 6 puts fail\): 5 of 6 records were not taken lately$/m,
    );
    expect(text).toMatch(/^ +refused {3}mode: mode is observe$/m);
    expect(text).toMatch(/^ +by hand {3}spillway failover --cells orders --reason "…"$/m);
  });

  test('names the command for a cell that may not be probed, once, and for no other', () => {
    const reason = '6 of 9 producers report failures';
    const never = whyScreen(why([[says('orders', 'unproven', { reason })]]), plain);
    expect(never.match(/spillway failover --cells orders/g)).toHaveLength(1);
    const told = `${reason}; move it with spillway failover --cells orders`;
    const once = whyScreen(why([[says('orders', 'unproven', { reason: told })]]), plain);
    expect(once.match(/spillway failover --cells orders/g)).toHaveLength(1);
    const probed = parseConfig({ ...configInput, cells: [{ name: 'orders', stream: 'orders' }] }, 'test');
    expect(whyScreen(why([[says('orders', 'suspected', { reason })]], {}, probed), plain)).not.toMatch(
      /failover/,
    );
  });

  test.each([
    [
      'CanaryOnly',
      { watched: 6, well: 5, impaired: 0, suspect: 0 },
      '5 of 6 streams demonstrably take records, and none fails',
    ],
    [
      'StreamsImpaired',
      { watched: 6, well: 1, impaired: 4, suspect: 1 },
      '4 of 6 streams fail: half of them, or more',
    ],
  ] as const)('gives the streams as the reason of %s', (diagnosis, seen, reason) => {
    const own = report({ diagnosis });
    const streams = { cells: {}, seen, atMs: own.decidedAtMs };
    const memory = { ...own.memory, evidence: { ...own.memory.evidence, streams } };
    const found = why([], { diagnosis, memory });
    expect(found.observers[0]).toMatchObject({ streams: seen, streamsSay: reason });
    expect(whyScreen(found, plain)).toContain(
      `streams seen: ${seen.well} of 6 well, ${seen.impaired} impaired, ${seen.suspect} suspect`,
    );
    // Of streams that nobody has probed there is nothing to say.
    expect(found.observers[1]?.streams).toBeUndefined();
  });

  test('does not show more cells of an observer than fit, and says how many there are', () => {
    const said = Array.from({ length: MOST_FINDINGS }, (_, n) => says(`c${n}`, 'suspected'));
    const text = whyScreen(why([said]), plain);
    expect(text).toMatch(/… and 32 more cells/);
    expect(text.match(/^ {2}cell /gm)).toHaveLength(8);
  });
});

describe('the item of an observer', () => {
  const stored = (cells: unknown) => {
    const { memory: _memory, cells: _cells, liveVote: _vote, fresh: _fresh, ...item } = report();
    return observerReport({ ...item, ...(cells === undefined ? {} : { cells }) }, NOW_MS);
  };

  test('of an older version has no cells', () => {
    expect(stored(undefined).cells).toEqual([]);
  });

  test('loses a finding that is not understood, and no other', () => {
    const known = says('orders', 'impaired');
    expect(stored([{ ...known, kind: 'of another version' }, known, 'text']).cells).toEqual([known]);
  });

  test('has as many findings as an observer stores, at most', () => {
    const many = Array.from({ length: 2 * MOST_FINDINGS }, (_, n) => says(`c${n}`, 'impaired'));
    expect(stored(many).cells).toHaveLength(MOST_FINDINGS);
  });

  test('is read whatever is in its cells', () => {
    fc.assert(
      fc.property(fc.anything(), (cells) => {
        const { cells: found, diagnosis } = stored(cells);
        expect(diagnosis).toBe('Healthy');
        expect(found.length).toBeLessThanOrEqual(MOST_FINDINGS);
      }),
    );
  });
});
