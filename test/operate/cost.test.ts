import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../lib/config/load.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { estimate } from '../../lib/operate/cost.ts';
import { configInput } from './fixtures/readings.ts';

const linesOf = (change: Partial<ConfigInput> = {}): Readonly<Record<string, number>> => {
  const { lines } = estimate(parseConfig({ ...configInput, ...change }, 'spillway.config.json'));
  return Object.fromEntries(lines.map(({ resource, usd }) => [resource, usd]));
};

describe('cost, against sums done by hand', () => {
  // Three observers, two switches, rounds of 5 s: 525,600 rounds a month of 730 h.
  test('health checks: 5 at 0.50 + 3 options, and the quorum at 0.50', () => {
    expect(linesOf()['health checks']).toBe(5 * 3.5 + 0.5);
  });

  test('health checks at 30 s have one option less', () => {
    const slow = { delivery: { healthCheckIntervalSeconds: 30, rtoMs: 120_000 } } as const;
    expect(linesOf(slow)['health checks']).toBe(5 * 2.5 + 0.5);
  });

  test('cells that share a switch share its check', () => {
    const cells = configInput.cells.map((cell) => ({ ...cell, group: 'both' }));
    expect(linesOf({ cells })['health checks']).toBe(4 * 3.5 + 0.5);
  });

  test('canaries: 730 h × 0.04, 7.884 GB in × 0.08, 1.5768 GB out × 0.04; 2 × 730 h × 0.015, 7.884 million × 0.014', () => {
    expect(linesOf()['canary streams']).toBe(51.9);
  });

  test('observers: 3 × 240/1,024 GB × 2,628,000 s × 65/60 × 0.0000133334 = 26.69', () => {
    expect(linesOf().observers).toBe(26.69);
  });

  test('endpoints: 21.024 + 0.219 million requests × 0.20, and 26,554 GB-s', () => {
    expect(linesOf()['vote and switch endpoints']).toBe(4.6);
  });

  test('DynamoDB: 24.3966 million reads × 0.125 and 4.7304 million writes × 0.625', () => {
    expect(linesOf().DynamoDB).toBe(6.01);
  });

  test('CloudWatch probes: 262,800 calls × 0.01/1,000 + 6 metrics × 0.30', () => {
    expect(linesOf()['CloudWatch probes']).toBe(4.43);
  });

  // 16 of the monitor, the survey's, one of each observer; 23 alarms in the standby on 28 metrics, 2 on 3 in each of 2 witnesses.
  test('metrics and alarms: 20 × 0.30 + 34 × 0.10 + 43,800 runs × 0.8 s × 0.25 GB × 0.0000133334', () => {
    expect(linesOf()['metrics and alarms']).toBe(9.52);
  });

  describe('cells that are always probed', () => {
    const probed = (count: number, stream: object = { existing: true }, beginning = 'shop-') =>
      linesOf({
        cells: Array.from({ length: count }, (_, n) => ({
          name: `c${n}`,
          group: 'g',
          stream: { name: `${beginning}${n}`, ...stream },
          probe: 'always' as const,
        })),
      })['probes of streams'];

    test('cost nothing where there are none', () => {
      expect(linesOf()['probes of streams']).toBeUndefined();
    });

    test('one: 3 × 525,600 × 2 puts of 1 KB at 0.08 a GB, or at 0.014 a million where it has shards; no write unit', () => {
      expect(probed(1)).toBe(0.25);
      expect(probed(1, { shards: 2 })).toBe(0.04);
    });

    test('six: as many puts each, and a fourth write unit at each of 1,576,800 ticks', () => {
      expect(probed(6)).toBeCloseTo(1.51 + 0.99, 2);
    });

    test('hundreds cost no more puts than six: they take turns; 72 of them are remembered for a minute', () => {
      expect(probed(300)).toBeCloseTo(1.51 + 14 * 0.9855, 2);
      expect(probed(1_000)).toBe(probed(300));
    });

    test('those that no role can name are not probed, and cost nothing', () => {
      expect(probed(300, undefined, 's')).toBe(probed(25));
    });
  });

  test('survey: 4 metrics of each cell × 730 × 0.01/1,000 and a function of some seconds, for 250 cells an hour and no more', () => {
    const cells = (count: number) =>
      Array.from({ length: count }, (_, n) => ({
        name: `c${n}`,
        group: 'g',
        stream: { name: `s${n}`, existing: true },
      }));
    const two = 2 * 4 * 730 * 0.00001 + 3.6 * 730 * 0.5 * 0.0000133334;
    expect(linesOf({ cells: cells(2) }).survey).toBeCloseTo(two, 2);
    const most = 250 * 4 * 730 * 0.00001 + 78 * 730 * 0.5 * 0.0000133334;
    expect(linesOf({ cells: cells(250) }).survey).toBeCloseTo(most, 2);
    expect(linesOf({ cells: cells(1_000) }).survey).toBe(linesOf({ cells: cells(250) }).survey);
  });

  // For 1,000: 2,628,000 s / 81 s × 1,000 = 32.444 million writes, and 43,800 of the fleet's size; 3 × (525,600 × 0.5 + 43,800 × 125)
  // + 1,000 × 2,920 × 0.5 = 18.673 million reads; 2 × 43,800 × 1,024,000 B = 89.7 GB.
  test('beacons: 32.488 million writes × 0.625 + 18.673 million reads × 0.125 + 89.7 GB × 0.02', () => {
    expect(linesOf({ beacons: { sources: 1_000 } }).beacons).toBe(24.43);
    expect(linesOf({ beacons: { sources: 1_000 } }).beacons).toBeLessThanOrEqual(25);
  });

  test('beacons of 10,000 come each 15 minutes and cost little more than those of 1,000; without a table they cost nothing', () => {
    const config = parseConfig({ ...configInput, beacons: { sources: 10_000 } }, 'spillway.config.json');
    const found = estimate(config).lines.find(({ resource }) => resource === 'beacons');
    expect(found?.how).toContain('10,000 at the same time, each every 900 s');
    expect(found?.usd).toBeLessThan(27);
    expect(linesOf().beacons).toBeUndefined();
  });

  test('a table that nobody writes to costs a few cents', () => {
    expect(linesOf({ beacons: { sources: 1 } }).beacons).toBeLessThan(0.2);
  });

  test('a dashboard costs 3.00, and nothing when it is turned off', () => {
    expect(linesOf().dashboard).toBe(3);
    expect(linesOf({ monitoring: { dashboard: false } }).dashboard).toBeUndefined();
  });

  test('a created stream on demand costs 29.20 in each region, one of 2 shards 51.10; an existing one nothing here', () => {
    const streamsOf = (cells: ConfigInput['cells'] = configInput.cells): readonly number[] =>
      estimate(parseConfig({ ...configInput, cells }, 'spillway.config.json')).streams.map(({ usd }) => usd);
    expect(streamsOf()).toEqual([]);
    expect(streamsOf([{ name: 'a', stream: 'a' }])).toEqual([58.4]);
    expect(streamsOf([{ name: 'a', stream: { name: 'a', shards: 2 } }])).toEqual([102.2]);
  });

  test('a weekly drill: 4.345 × 120 s × 0.25 GB, and 2 metrics for 4.345 hours; without a schedule nothing', () => {
    const cells = [...configInput.cells, { name: 'drill', stream: { name: 'drill', existing: true } }];
    expect(linesOf({ cells, drill: { cell: 'drill' } })['weekly drill']).toBe(0.01);
    expect(linesOf({ cells, drill: { cell: 'drill', schedule: 'off' } })['weekly drill']).toBeUndefined();
    expect(linesOf()['weekly drill']).toBeUndefined();
  });

  test('the total is the sum of the lines, and stands beside what AWS asks', () => {
    const { usd, lines, beside } = estimate(parseConfig(configInput, 'spillway.config.json'));
    expect(usd).toBeCloseTo(
      lines.reduce((sum, line) => sum + line.usd, 0),
      6,
    );
    expect(beside.map((line) => line.usd)).toEqual([1_825, 70]);
  });

  test('the default config costs at most 125 a month', async () => {
    const { usd } = estimate(await loadConfig({ directory: process.cwd() }));
    expect(usd).toBeLessThanOrEqual(125);
  });
});
