import { createColors } from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { ConsumersOfCell, MappingFacts, Obstacle } from '../../lambda/core/consumer-facts.ts';
import { consumersScreen } from '../../lib/cli/screens/consumers.ts';
import { reportOf } from '../../lib/consumers/report.ts';
import { consumersFindings } from '../../lib/operate/doctor/consumers.ts';

const NOW_MS = Date.parse('2026-11-25T03:00:00Z');
const colors = createColors(false);

const mapping = (region: string, state: MappingFacts['state']): MappingFacts => ({
  uuid: 'u-1',
  source: `arn:aws:kinesis:${region}:123456789012:stream/orders`,
  function: `arn:aws:lambda:${region}:123456789012:function:indexer`,
  ...{ state, stateName: state, hasRead: true, settings: {} },
});
const cellOf = (cell: string, state: MappingFacts['state'] = 'enabled'): ConsumersOfCell => ({
  ...{ cell, declared: true, searched: { primary: true, standby: true }, probe: 'never' },
  streams: {
    primary: { name: 'orders', region: 'us-east-1', retentionHours: 24 },
    standby: { name: 'orders', region: 'us-west-2' },
  },
  consumers: [
    {
      ...{ kind: 'lambda', name: { primary: 'indexer', standby: 'indexer' }, takes: [] },
      facts: {
        primary: { kind: 'lambda', mappings: [mapping('us-east-1', 'enabled')], lagMs: 5_000 },
        standby: { kind: 'lambda', mappings: [mapping('us-west-2', state)] },
      },
    },
  ],
});
const obstacle: Obstacle = {
  ...{ region: 'us-west-2', service: 'DynamoDB', kind: 'denied', problem: 'AccessDenied' },
  actions: ['dynamodb:Scan'],
};
const report = (cells: readonly ConsumersOfCell[], obstacles: readonly Obstacle[] = []) =>
  reportOf({ atMs: NOW_MS, cells, obstacles });
const screen = (...of: Parameters<typeof report>): string =>
  consumersScreen(report(...of), { colors, columns: Number.POSITIVE_INFINITY });

describe('the screen', () => {
  test('lists the consumers, and how they do in each region', () => {
    expect(screen([cellOf('orders')]).split('\n')).toEqual(
      [
        'cell    consumer                 primary us-east-1   standby us-west-2',
        'orders  Lambda function indexer  works, 5 s behind  works',
        '',
        'nothing to mend',
      ].map((line) => expect.stringMatching(new RegExp(`^${line.replaceAll(/ {2,}/g, ' +')}$`))),
    );
  });

  test('says first what is to be mended, then what is not known, each with its fix', () => {
    const lines = screen([cellOf('orders', 'disabled')], [obstacle]).split('\n');
    expect(lines[0]).toMatch(/^✗ orders: the mapping of function indexer in us-west-2 is disabled/);
    expect(lines[1]).toMatch(/^ {4}→ aws lambda update-event-source-mapping .* --enabled$/);
    expect(lines[2]).toMatch(/^\? us-west-2 does not allow dynamodb:Scan/);
    expect(lines.at(-1)).toBe('1 to mend; 1 could not be read');
  });

  test('of a thousand cells counts what is well, and shows five of a kind', () => {
    const cells = Array.from({ length: 1_000 }, (_, n) => cellOf(`c${n}`, n < 40 ? 'disabled' : 'enabled'));
    const text = screen(cells);
    expect(text.split('\n').length).toBeLessThan(20);
    expect(text).toContain('and 35 more of disabled (--json has them all)');
    expect(text).toContain('1000 consumers of 1000 cells; in the standby 960 work, 40 do not');
  });

  test('does not say that all is well where something could not be read', () => {
    expect(
      screen([cellOf('orders')], [obstacle])
        .split('\n')
        .at(-1),
    ).toBe('nothing to mend, as far as is known; 1 could not be read');
  });
});

describe('the document', () => {
  test('has every field of the documentation, with null for what is not known', () => {
    const { ok, name, counts, cells } = report([cellOf('orders')]);
    expect({ ok, name, counts }).toEqual({
      ...{ ok: true, name: 'consumers' },
      counts: { bad: 0, unknown: 0, note: 0 },
    });
    expect(cells[0]?.consumers[0]).toMatchObject({
      ...{ kind: 'lambda', name: { primary: 'indexer', standby: 'indexer' } },
      primary: { works: 'yes', lagMs: 5_000, retentionHours: 24, retentionLeftMs: 86_395_000 },
      standby: { works: 'yes', lagMs: null, retentionHours: null, retentionLeftMs: null },
    });
  });

  test('is not ok for what is to be mended alone', () => {
    expect(report([cellOf('orders', 'disabled')]).ok).toBe(false);
    expect(report([cellOf('orders', 'changing')], [obstacle])).toMatchObject({
      ...{ ok: true, counts: { bad: 0, unknown: 1, note: 1 } },
    });
  });
});

describe('the check of doctor', () => {
  test('has one finding for each kind of fault, and points to the command', () => {
    const cells = ['a', 'b', 'c'].map((cell) => cellOf(cell, 'disabled'));
    const found = consumersFindings(report(cells, [obstacle]));
    expect(found).toMatchObject([
      { check: 'consumers', ok: false, finding: expect.stringMatching(/^a: .*; and 2 more$/) },
      { ok: true, finding: expect.stringContaining('dynamodb:Scan') },
    ]);
    for (const { fix } of found) expect(fix).toContain('npx spillway consumers');
  });

  test('leaves it to the owner whether the config names consumers', () => {
    const nobody = { ...cellOf('orders'), declared: false, consumers: [] };
    expect(consumersFindings(report([nobody]))).toMatchObject([
      { ok: true, fix: expect.stringContaining('Name what reads it') },
    ]);
    expect(report([nobody]).ok).toBe(false);
  });

  test('says how many are well', () => {
    expect(consumersFindings(report([cellOf('orders')]))).toMatchObject([
      { ok: true, fix: '', finding: '1 consumer of 1 cell: there in both regions, and enabled' },
    ]);
  });
});
