import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'fast-string-width';
import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../lambda/core/journal.ts';
import { auditScreen } from '../../lib/cli/audit.ts';
import { costScreen } from '../../lib/cli/cost.ts';
import { historyScreen } from '../../lib/cli/history.ts';
import { columnsOf } from '../../lib/cli/io.ts';
import { table } from '../../lib/cli/table.ts';
import { wrapped } from '../../lib/cli/wrap.ts';
import { estimate } from '../../lib/operate/cost.ts';
import { config } from '../operate/fixtures/readings.ts';

const red = createColors(true).red;
const wordsOf = (text: string): readonly string[] =>
  stripVTControlCharacters(text)
    .split(/\s+/)
    .filter((word) => word !== '');
/** A line that is wider holds a word that has no room at all. */
const tooWide = (text: string, columns: number): readonly string[] =>
  text
    .split('\n')
    .filter((line) => stringWidth(line) > columns)
    .filter((line) => wordsOf(line).every((word) => stringWidth(word) < columns - 24));

const word = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
const prose = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '));
const cells = fc.integer({ min: 1, max: 7 }).chain((count) =>
  fc.record({
    header: fc.array(word, { minLength: count, maxLength: count }),
    rows: fc.array(fc.array(prose, { minLength: count, maxLength: count }), { maxLength: 5 }),
  }),
);
const widths = fc.integer({ min: 40, max: 200 });

describe('a table', () => {
  it('pads by what is seen, and puts beneath what has no room beside the rest', () => {
    const rows = [
      [red('red'), 'drill', 'x'],
      ['long', 'failover', 'us-east-1 drops writes since three, inc-4711'],
    ];
    const header = ['a', 'what', 'why'];
    const wide = [
      'a     what      why',
      `${red('red')}   drill     x`,
      'long  failover  us-east-1 drops writes since three, inc-4711',
    ];
    expect(table(header, rows)).toBe(wide.join('\n'));
    const [head, first] = wide;
    const wraps = [
      head,
      first,
      'long  failover  us-east-1 drops writes',
      '                since three, inc-4711',
    ];
    expect(table(header, rows, { columns: 40 })).toBe(wraps.join('\n'));
    const beneath = [
      'a     what',
      '  why',
      `${red('red')}   drill`,
      '  x',
      'long  failover',
      '  us-east-1 drops writes since',
      '  three, inc-4711',
    ];
    expect(table(header, rows, { columns: 32 })).toBe(beneath.join('\n'));
  });

  it('cuts nothing and breaks no word, whatever the width', () => {
    fc.assert(
      fc.property(cells, widths, ({ header, rows }, columns) => {
        const text = table(header, rows, { columns });
        const given = [header, ...rows].flatMap((row) => row.flatMap(wordsOf));
        expect([...wordsOf(text)].sort()).toEqual([...given].sort());
        expect(tooWide(text, columns)).toEqual([]);
      }),
    );
  });

  it('of any width has one line a row in a pipe, also when a cell has several', () => {
    fc.assert(
      fc.property(cells, ({ header, rows }) => {
        const text = table(
          header,
          rows.map((row) => row.map((cell) => cell.replace(' ', '\n'))),
        );
        expect(text.split('\n')).toHaveLength(1 + rows.length);
      }),
    );
  });
});

describe('a screen', () => {
  it('keeps every word in its order at any width, and what is beneath its width as it is', () => {
    const line = fc
      .tuple(fc.constantFrom('', '  ', '✗ ', '  evidence  ', '    → '), prose)
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(line), widths, (lines, columns) => {
        const text = lines.join('\n');
        const screen = wrapped(text, columns);
        expect(wordsOf(screen)).toEqual(wordsOf(text));
        expect(tooWide(screen, columns)).toEqual([]);
        expect(wrapped(screen, columns)).toBe(screen);
        expect(wrapped(text, Number.POSITIVE_INFINITY)).toBe(text);
      }),
    );
  });

  it('indents what it breaks under its text, and leaves a command whole', () => {
    const next = 'next: spillway failover --cells orders --reason "us-east-1 drops writes, inc-4711"';
    const finding = `${red('✗')} nobody has moved it, and it is three  → ${next.slice(6)}`;
    expect(wrapped(`${finding}\n  evidence  primary: all up, standby: all up\n${next}`, 36)).toBe(
      [
        `${red('✗')} nobody has moved it, and it is`,
        '  three',
        `    → ${next.slice(6)}`,
        '  evidence  primary: all up,',
        '            standby: all up',
        next,
      ].join('\n'),
    );
  });

  const entries: readonly JournalEntry[] = [1, 2, 3].map((minute) => ({
    atMs: Date.parse(`2026-11-25T03:0${minute}:00Z`),
    who: 'arn:aws:sts::123456789012:assumed-role/oncall/ana',
    what: 'run-ended',
    why: 'us-east-1 drops writes since three, and nobody can say when it will be back, inc-4711',
    epoch: 12,
    group: 'orders',
  }));
  const violation = {
    rule: 'primary',
    reason: 'the primary is what has failed: nothing on the failover path may need it',
    source: 'docs/decisions.md',
    call: { service: 'dynamodb', operation: 'PutItem', region: 'us-east-1', endpoint: 'x', who: 'conductor' },
    times: 12,
  };
  const report = {
    ...{ ok: false, primary: 'us-east-1', calls: 12, checkerRequests: 0, onPath: 12, allowed: {} },
    ...{ violations: 12, distinct: [violation] },
  };
  const screens: readonly (readonly [string, (columns: number) => string])[] = [
    ['history', (columns) => historyScreen(entries, columns)],
    ['audit', (columns) => auditScreen(report, { columns, colors: createColors(false) })],
    ['cost', (columns) => costScreen(estimate(config), columns)],
  ];
  it.each(screens)('of %s fits 60 columns, and says there what it says in a pipe', (_, screenOf) => {
    const narrow = wrapped(screenOf(60), 60);
    expect(tooWide(narrow, 60)).toEqual([]);
    const whole = screenOf(Number.POSITIVE_INFINITY);
    expect(whole).not.toContain('…');
    expect([...wordsOf(narrow)].sort()).toEqual([...wordsOf(whole)].sort());
  });
});

it('the width is that of the terminal, of COLUMNS where it is exported, and without end in a pipe', () => {
  expect(columnsOf({}, { columns: 132 })).toBe(132);
  expect(columnsOf({ COLUMNS: '60' }, { columns: 132 })).toBe(60);
  expect(columnsOf({ COLUMNS: '60' }, {})).toBe(60);
  expect(columnsOf({ COLUMNS: 'wide' }, { columns: 0 })).toBe(Number.POSITIVE_INFINITY);
  expect(columnsOf({}, {})).toBe(Number.POSITIVE_INFINITY);
  expect(columnsOf({ COLUMNS: '3' }, {})).toBe(20);
});
