import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { dimensionsOf, metricDatum, metricNames, metrics } from '../../lambda/core/metrics.ts';
import { MetricLog } from '../../lib/metrics/metric-log.ts';

/** Lines that a function's log would get. */
function listen(): string[] {
  const lines: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    lines.push(String(chunk).trim());
    return true;
  });
  onTestFinished(() => write.mockRestore());
  return lines;
}

const monitorLog = () => new MetricLog({ name: 'shop', service: 'monitor' });

describe('a line of metrics', () => {
  it('has namespace, dimension and units of the table, the values, and the words beside them', () => {
    const lines = listen();
    const log = monitorLog();
    log.add({ LiveVotes: 3, SurveyAge: 4 });
    log.flush({ observers: 'all well' });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        _aws: {
          Timestamp: expect.any(Number),
          CloudWatchMetrics: [
            {
              Namespace: 'Spillway/shop',
              Dimensions: [Object.keys(dimensionsOf('LiveVotes'))],
              Metrics: [
                { Name: 'LiveVotes', Unit: 'Count' },
                { Name: 'SurveyAge', Unit: 'Seconds' },
              ],
            },
          ],
        },
        ...dimensionsOf('LiveVotes'),
        LiveVotes: 3,
        SurveyAge: 4,
        observers: 'all well',
      },
    ]);
  });

  it('leaves out what is unknown, and is not written when there is nothing to say', () => {
    const lines = listen();
    const log = monitorLog();
    log.add({ DrillAge: undefined, SurveyAge: Number.NaN });
    log.flush({ observers: 'x' });
    expect(lines).toEqual([]);
  });

  it('keeps the rounds of a run side by side', () => {
    const lines = listen();
    const log = new MetricLog({ name: 'shop', service: 'observer' });
    for (const down of [0, 0, 1]) log.add({ StandbyDown: down });
    log.flush();
    log.flush();
    expect(lines.map((line) => JSON.parse(line).StandbyDown)).toEqual([[0, 0, 1]]);
  });

  it('that cannot be written disturbs nobody', () => {
    const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => {
      throw new Error('pipe gone');
    });
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const log = monitorLog();
    log.add({ LiveVotes: 3 });
    log.flush();
    log.add({ NoSuchMetric: 1 } as never);
    write.mockRestore();
    expect(warn).toHaveBeenCalled();
    warn.mockRestore();
  });
});

it('the table keeps to what a metric costs: one dimension each, and few of them', () => {
  for (const name of metricNames) expect(Object.keys(dimensionsOf(name))).toEqual(['service']);
  expect(metricNames.length).toBeLessThanOrEqual(24);
});

it('a drill puts what its row of the table says', () => {
  expect(metricDatum('DrillRto', 20_230, 1_000)).toEqual({
    MetricName: 'DrillRto',
    Dimensions: [{ Name: 'service', Value: 'drill' }],
    Unit: metrics.DrillRto.unit,
    Value: 20_230,
    Timestamp: new Date(1_000),
  });
});
