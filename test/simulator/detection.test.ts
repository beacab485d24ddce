import { describe, expect, it, vi } from 'vitest';
import {
  detectionMarkdown,
  detectionTable,
  failingWrites,
  replaceDetection,
} from '../../lib/simulator/detection.ts';
import { systemWith } from './systems.ts';

// Of simulated hours, on a machine that may have other things to do.
vi.setConfig({ testTimeout: 60_000 });

describe('the scenario of failing writes', () => {
  it('fails puts to the primary alone, from the start to the end', () => {
    const { faults, durationMs } = failingWrites(0.2);
    expect(faults).toMatchObject([
      {
        atMs: 0,
        untilMs: durationMs,
        rate: 0.2,
        where: { region: 'primary', service: 'kinesis', operations: ['PutRecord', 'PutRecords'] },
        effect: { kind: 'error', status: 500, code: 'InternalFailure' },
      },
    ]);
    expect(durationMs).toBe(3_600_000);
  });

  it('gives the fractions that nobody may act upon more time', () => {
    expect(failingWrites(0.12)).toMatchObject({ durationMs: 6 * 3_600_000, expect: { verdict: 'hold' } });
    expect(failingWrites(0.2).expect.verdict).toBe('failover');
  });
});

it('the more writes fail, the sooner they move; a twentieth is paged, and never moves', async () => {
  let runs = 0;
  const rows = await detectionTable({
    system: systemWith(),
    runs: 5,
    workers: 2,
    fractions: [1, 0.3, 0.05],
    onRun: () => runs++,
  });
  expect(runs).toBe(15);
  const [all, third, twentieth] = rows;
  expect(all?.decided).toBe(1);
  expect(all?.decideMs.p95).toBeLessThanOrEqual(15_000);
  expect(third?.decideMs.p50).toBeGreaterThan(all?.decideMs.p95 ?? Number.POSITIVE_INFINITY);
  expect(twentieth).toMatchObject({ decided: 0, decideMs: { p50: null, p95: null } });
  expect(twentieth?.pagedMs.p95).toBeLessThanOrEqual(300_000);
});

it('the table says "never" where too few runs decide', () => {
  const rows = [
    {
      fraction: 0.05,
      watchedMs: 3_600_000,
      decideMs: { p50: 61_234, p95: null },
      decided: 0.612,
      pagedMs: { p50: 30_000, p95: 45_500 },
    },
  ];
  expect(detectionMarkdown(rows)).toBe(
    [
      '| failing writes | moved p50 | p95   | runs that move | paged p50 | p95    | watched for |',
      '| -------------- | --------- | ----- | -------------- | --------- | ------ | ----------- |',
      '| 5 %            | 61.2 s    | never | 61.2 %         | 30.0 s    | 45.5 s | 1 h         |',
    ].join('\n'),
  );
});

describe('writing the table into a file', () => {
  const text = 'before\n\n<!-- detection:begin -->\nold\n<!-- detection:end -->\n\nafter\n';

  it('replaces what is between the comments, and nothing else; twice is as once', () => {
    const once = replaceDetection(text, '| a |');
    expect(once).toBe('before\n\n<!-- detection:begin -->\n\n| a |\n\n<!-- detection:end -->\n\nafter\n');
    expect(replaceDetection(once, '| a |')).toBe(once);
  });

  it('takes the table as it is: a $& in it is no pattern', () => {
    expect(replaceDetection(text, '$& $1')).toContain('\n$& $1\n');
  });

  it.each([
    ['without comments', 'text'],
    ['without an end', '<!-- detection:begin -->'],
    ['with the end before the beginning', '<!-- detection:end --><!-- detection:begin -->'],
    ['with two tables', `${text}${text}`],
  ])('refuses a text %s', (_, wrong) => {
    expect(() => replaceDetection(wrong, '')).toThrow(RangeError);
  });
});
