import { describe, expect, it } from 'vitest';
import type { Acknowledgement, DrillEvent } from '../../../lib/local/drill/events.ts';
import {
  commonDiagnosis,
  countRecords,
  detectMs,
  finalRegions,
  flipMs,
  flips,
  rtoMs,
} from '../../../lib/local/drill/measure.ts';

const FAULT = 1_000_000;
const observer = (
  afterMs: number,
  region: string,
  vote: 'HOLD' | 'EVACUATE',
  diagnosis = 'KinesisWriteImpaired',
) => ({ kind: 'observer', atMs: FAULT + afterMs, region, vote, diagnosis, comment: '' }) as DrillEvent;
const dns = (afterMs: number, cell: string, region: string): DrillEvent => ({
  kind: 'dns',
  atMs: FAULT + afterMs,
  cell,
  region,
});

describe('detection time', () => {
  const options = { faultAtMs: FAULT, votesToEvacuate: 2 };

  it('is when the second observer votes, not the first', () => {
    const events = [observer(9_000, 'a', 'EVACUATE'), observer(12_000, 'b', 'EVACUATE')];
    expect(detectMs(events, options)).toBe(12_000);
    expect(detectMs(events.slice(0, 1), options)).toBeNull();
  });

  it('wants the votes at the same time', () => {
    const events = [observer(1, 'a', 'EVACUATE'), observer(2, 'a', 'HOLD'), observer(3, 'b', 'EVACUATE')];
    expect(detectMs(events, options)).toBeNull();
  });
});

describe('DNS', () => {
  const calm = [dns(-5_000, 'orders', 'east'), dns(-5_000, 'clicks', 'east')];

  it('has not moved when only the first answers were seen', () => {
    expect(flips(calm)).toBe(0);
    expect(flipMs(calm, { faultAtMs: FAULT, standby: 'west' })).toBeNull();
  });

  it('counts the moves of the cell that moved most', () => {
    const events = [
      ...calm,
      dns(15_000, 'orders', 'west'),
      dns(15_200, 'clicks', 'west'),
      dns(40_000, 'clicks', 'east'),
    ];
    expect(flips(events)).toBe(2);
    expect(flipMs(events, { faultAtMs: FAULT, standby: 'west' })).toBe(15_000);
    expect(Object.fromEntries(finalRegions(events))).toEqual({ orders: 'west', clicks: 'east' });
  });
});

describe('recovery time', () => {
  const acks = (producer: string, region: string, fromMs: number, toMs: number): Acknowledgement[] =>
    Array.from({ length: Math.floor((toMs - fromMs) / 100) }, (_, n) => ({
      id: `${producer}-${fromMs}-${n}`,
      producer,
      region,
      atMs: FAULT + fromMs + 100 * n,
    }));
  const options = { faultAtMs: FAULT, standby: 'west', producers: ['p1', 'p2'] };

  it('is when the last producer has settled', () => {
    const list = [
      ...acks('p1', 'east', -5_000, 1_000),
      ...acks('p1', 'west', 20_000, 40_000),
      ...acks('p2', 'east', -5_000, 500),
      ...acks('p2', 'west', 23_000, 40_000),
    ];
    expect(rtoMs(list, options)).toBe(23_000);
  });

  it('does not exist while one producer gets no answers, however well the other does', () => {
    const list = [...acks('p1', 'west', 20_000, 40_000), ...acks('p2', 'east', -5_000, 500)];
    expect(rtoMs(list, options)).toBeNull();
  });

  it('starts after a relapse into the primary', () => {
    const list = [
      ...acks('p1', 'west', 10_000, 12_000),
      ...acks('p1', 'east', 12_000, 15_000),
      ...acks('p1', 'west', 15_000, 30_000),
    ];
    const settled = rtoMs(list, { ...options, producers: ['p1'] });
    expect(settled).toBeGreaterThanOrEqual(14_000);
    expect(settled).toBeLessThanOrEqual(15_000);
  });

  it('is not claimed before the standby has held for five seconds', () => {
    expect(rtoMs(acks('p1', 'west', 10_000, 13_000), { ...options, producers: ['p1'] })).toBeNull();
  });
});

describe('records', () => {
  const receipt = (id: string): Acknowledgement => ({ id, producer: 'p1', region: 'east', atMs: FAULT });

  it('calls an acknowledged record that is in no stream lost, and copies beyond the first duplicates', () => {
    const found = ['run-a', 'run-b', 'run-b', 'run-unacknowledged'];
    const count = countRecords(['run-a', 'run-b', 'run-c'].map(receipt), { found, run: 'run' });
    expect(count).toEqual({ acknowledged: 3, delivered: 2, lost: 1, duplicates: 1 });
  });

  it('counts nothing that an earlier drill left in the streams', () => {
    const found = ['run-a', 'earlier-a', 'earlier-a', 'runner-a', 'hello'];
    const count = countRecords([receipt('run-a')], { found, run: 'run' });
    expect(count).toEqual({ acknowledged: 1, delivered: 1, lost: 0, duplicates: 0 });
  });
});

describe('the common diagnosis', () => {
  it('is what most observers said when they voted', () => {
    const events = [
      observer(0, 'a', 'HOLD', 'Healthy'),
      observer(1, 'a', 'EVACUATE'),
      observer(2, 'b', 'EVACUATE', 'RegionUnreachable'),
      observer(3, 'c', 'EVACUATE'),
      observer(4, 'a', 'EVACUATE', 'CloudWatchBlind'),
    ];
    expect(commonDiagnosis(events)).toBe('KinesisWriteImpaired');
  });

  it('is Healthy when nobody saw anything else', () => {
    expect(commonDiagnosis([observer(0, 'a', 'HOLD', 'Healthy')])).toBe('Healthy');
  });
});
